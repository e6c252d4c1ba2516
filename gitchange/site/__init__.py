"""The site: a page for each change, and the pages that lead to them, from an `Overview`.

    root          where the theme and MkDocs' configuration lie, in a wheel and in a checkout
    urls          the name of every file of a site
    markdown      people's texts as HTML that cannot reach outside its place
    verification  the commands that verify a sign-off by hand
    site          the overview, sorted for readers: what waits for whom, what is planned, ...
    change_page   what the page of one change shows
    statistics_page, charts   figures in words, as SVG and as tables
    pages         all pages of a site, rendered with Jinja2
    ics, atom     the same for calendar programs and feed readers
    shell         the theme around a page, rendered once and spliced
    plugin, theme what MkDocs loads
    source        where the overview comes from
    build         builds a whole site and publishes it

What a change's state *is*, the rooms below decide; nothing here judges.
"""
