#!/bin/sh
# Checks this evidence. Nothing else is needed than a POSIX shell with awk, od, base64, sha256sum and sha1sum (or
# shasum), and ssh-keygen; gpg for sign-offs with OpenPGP. No gitchange, no Git, no repository, no network.
#
#   sh verify.sh [INTRODUCTION [MAIN [NOTES]]]
#
# The ids are of commits that you know from elsewhere; VERIFY.md says from where, and what is proved by them. Each line
# that is printed is one check. The exit code is 0 when all of them hold, 1 when one does not, 3 when it could not look.
set -u
LC_ALL=C TZ=UTC0
export LC_ALL TZ
unset CDPATH GNUPGHOME SSH_AUTH_SOCK
IFS='
'
cd -- "$(dirname -- "$0")" || exit 3
work=$(mktemp -d) || exit 3
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
bad=0
ok() { printf 'ok      %s\n' "$1"; }
no() { printf 'NOT OK  %s\n' "$1"; bad=1; }
give_up() { no "$1"; echo 'Nothing more was looked at.'; exit 1; }
if command -v sha256sum > /dev/null; then
  sha256() { sha256sum; }; check256() { sha256sum -c; }; each256() { xargs sha256sum; }
else
  sha256() { shasum -a 256; }; check256() { shasum -a 256 -c; }; each256() { xargs shasum -a 256; }
fi
if command -v sha1sum > /dev/null; then
  sha1() { sha1sum; }; check1() { sha1sum -c; }
else
  sha1() { shasum -a 1; }; check1() { shasum -a 1 -c; }
fi
for tool in awk od base64 tr sed find sort xargs fold mktemp ssh-keygen; do
  command -v "$tool" > /dev/null || { echo "$tool was not found" >&2; exit 3; }
done

# 1. The files: plain ones, all of them named in the manifest, none of them changed.
test "$(find . ! -type d ! -type f | wc -l)" -eq 0 || give_up 'there is something else than files and folders here'
find . -type f > "$work/names"
grep -q '[[:cntrl:]]' "$work/names" && give_up 'a file has a name with a control character'
grep -qv '^\./' "$work/names" && give_up 'a file has a name with a line break'
for name in heads policies manifest.sha256; do test -f "$name" || give_up "the file $name is missing"; done
sed 's/^\\//' manifest.sha256 | cut -c67- | sort > "$work/listed"
if uniq -d "$work/listed" | grep -q . || grep -qE '(^|/)\.{0,2}(/|$)' "$work/listed" ||
  test "$(wc -l < "$work/listed")" -ne $(($(wc -l < "$work/names") - 1)); then
  no 'the manifest does not name each file once'
elif check256 < manifest.sha256 > "$work/said" 2>&1; then
  ok "the $(($(wc -l < "$work/listed"))) files are those of the manifest"
else
  no "files are not those of the manifest: $(sed -n 's/: FAILED.*//p' "$work/said" | tr -cd '[:print:]\n' | head -n 5 | tr '\n' ' ')"
fi

# 2. The commits that everything hangs on.
head_of() { sed -n "s/^$1 \([0-9a-f-]*\)\$/\1/p" heads; }
introduction=$(head_of introduction) main=$(head_of main) notes=$(head_of notes)
case ${#introduction} in
  40) named() { sha1; }; check_ids() { check1; } ;;
  64) named() { sha256; }; check_ids() { check256; } ;;
  *) give_up 'heads names no introduction' ;;
esac
test ${#main} -eq ${#introduction} || give_up 'heads names no commit of the branch of record'
pin() { # NAME GIVEN HERE
  if test -z "$2"; then echo "--      $1 $3: compare it with the one that you know from elsewhere"
  elif test "$2" = "$3"; then ok "$1 is $3, as you said"
  else no "$1 is $3 here, not $2"; fi
}
pin 'the introduction' "${1-}" "$introduction"
pin 'the tip of the branch of record' "${2-}" "$main"
pin 'the tip of the notes' "${3-}" "$notes"

# 3. Every object has the id that it is called by.
for kind in commit tree blob; do
  : > "$work/$kind.ids"
  if test -d "objects/$kind"; then ls "objects/$kind" > "$work/$kind.ids"; fi
  awk -v size="${#introduction}" 'length($0) != size || /[^0-9a-f]/ { exit 1 }' "$work/$kind.ids" ||
    give_up "objects/$kind has a file that is no object"
  sed "s|.*|&  objects/$kind/&|" "$work/$kind.ids" >> "$work/objects"
  sed "s|^|objects/$kind/|" "$work/$kind.ids" > "$work/$kind.files"
done
if check_ids < "$work/objects" > "$work/said" 2>&1; then
  ok "$(($(wc -l < "$work/objects"))) Git objects have the ids that they are called by"
else
  give_up 'a Git object has not the id that it is called by'
fi

# 4. What they say, as tables. An object begins with its kind and size; what is longer than it says is no object.
stream='
function begin(text, at, head) {
  while (text != "") {
    at = index(text, "\036")
    if (!at || split(substr(text, 1, at - 1), head, " ") != 2 || head[1] != kind || head[2] ~ /[^0-9]/) broken()
    if ((getline id < ids) != 1) broken()
    left = head[2] + 0; text = substr(text, at + 1); started(); inside = 1
    if (length(text) + 1 <= left) { if (text != "" || left > 0) feed(text); return }
    line(substr(text, 1, left)); text = substr(text, left + 1); finished(); inside = 0
    if (text == "") return
  }
}
function feed(text) {
  if (length(text) + 1 <= left) {
    line(text); left -= length(text) + 1
    if (!left) { finished(); inside = 0 }
    return
  }
  line(substr(text, 1, left)); text = substr(text, left + 1); finished(); inside = 0
  begin(text)
}
function broken() { failed = 1; exit 1 }
{ if (inside) feed($0); else begin($0) }
END { if (!failed && (getline id < ids) > 0) exit 1; if (failed) exit 1 }'
# Commits: id, folder, first parent, when it was committed, what its trailer witnesses, and the addresses of its authors.
xargs cat < "$work/commit.files" | tr '\000' '\036' | awk -v kind=commit -v ids="$work/commit.ids" '
function started() { tree = parent = witness = "-"; when = 0; authors = ""; words = waiting = 0 }
function address(text, at) {
  if (!match(text, /<[^<>]*>[^<>]*$/)) return ""
  text = substr(text, RSTART + 1); at = index(text, ">")
  return tolower(substr(text, 1, at - 1))
}
function line(text, parts, count, value) {
  if (!words) {
    if (text == "") words = 1
    else if (text ~ /^tree / && tree == "-") tree = substr(text, 6)
    else if (text ~ /^parent / && parent == "-") parent = substr(text, 8)
    else if (text ~ /^author /) authors = authors " " address(text)
    else if (text ~ /^committer /) {
      count = split(text, parts, " "); when = parts[count - 1]
      when = (when ~ /^[0-9]+$/ && length(when) < 12) ? when + 0 : 0
    }
    return
  }
  if (text == "") { waiting = 1; return }
  if (waiting) { witness = "-"; waiting = 0 }
  if (text ~ /^Approvals:/) {
    value = substr(text, 11); gsub(/^[ \t\r]+|[ \t\r]+$/, "", value)
    if (value !~ /[^0-9a-f]/ && (length(value) == 40 || length(value) == 64)) witness = value
  }
  if (tolower(text) ~ /^co-authored-by:/) authors = authors " " address(text)
}
function finished() { gsub(/[\t\036]/, "?", authors); print id "\t" tree "\t" parent "\t" when "\t" witness "\t" authors }
'"$stream" > "$work/commits" || give_up 'a commit is none that git would write'
# Lines of notes: id of the note, line.
xargs cat < "$work/blob.files" | tr '\000' '\036' | awk -v kind=blob -v ids="$work/blob.ids" '
function started() { print id }
function line(text) { print id "\t" text }
function finished() { }
'"$stream" > "$work/lines" || give_up 'a note is none that git would write'
# Folders: id, mode, name, id of what is there. A byte of a name that is not plain is written %XX.
xargs cat < "$work/tree.files" | od -An -v -tx1 | awk -v ids="$work/tree.ids" -v size=$((${#introduction} / 2)) '
BEGIN {
  for (n = 0; n < 256; n++) {
    hex = sprintf("%02x", n); char = n > 0 ? sprintf("%c", n) : ""
    plain[hex] = (n > 32 && n < 127 && char != "%") ? char : "%" toupper(hex); byte[hex] = char
  }
  state = "head"; text = ""
}
{
  for (i = 1; i <= NF; i++) {
    b = $i
    if (state == "head") {
      if (b != "00") { text = text byte[b]; continue }
      if (split(text, head, " ") != 2 || head[1] != "tree" || (getline id < ids) != 1) { failed = 1; exit }
      print id; left = head[2] + 0; text = ""; state = left ? "mode" : "head"
      continue
    }
    left--
    if (state == "mode") { if (b == "20") { mode = text; text = ""; state = "name" } else text = text byte[b] }
    else if (state == "name") { if (b == "00") { name = text; text = ""; count = 0; state = "id" } else text = text plain[b] }
    else {
      text = text b
      if (++count == size) { print id "\t" mode "\t" name "\t" text; text = ""; state = left > 0 ? "mode" : "head" }
    }
  }
}
END { if (failed || state != "head" || text != "" || (getline id < ids) > 0) exit 1 }' > "$work/trees" ||
  give_up 'a folder is none that git would write'

# 5. The documents, taken apart: file, key, value. A key that is not plain, and line breaks in values, are escaped.
# One reader for TOML and for JSON; what it does not understand, or finds twice, makes the document unreadable.
flat='
function fail(why) { if (!broken) { broken = 1; print tag "\t!\t" why } pos = size + 1; return "" }
function peek() { return substr(all, pos, 1) }
function emit(key, value) {
  if (broken) return
  if ((tag, key) in had) { fail("names something twice"); return }
  had[tag, key] = 1
  gsub(/\\/, "\\\\", value); gsub(/\n/, "\\n", value); gsub(/\t/, "\\t", value)
  print tag "\t" key "\t" value
}
function safe(key, made, n, c) {
  if (key !~ /[^A-Za-z0-9_-]/ && key != "") return key
  made = "%"
  for (n = 1; n <= length(key); n++) { c = substr(key, n, 1); made = made (c ~ /[A-Za-z0-9_-]/ ? c : sprintf("%%%02X", ord[c])) }
  return made
}
function number(digits, n, value) {
  value = 0
  for (n = 1; n <= length(digits); n++) value = value * 16 + index("0123456789abcdef", tolower(substr(digits, n, 1))) - 1
  return value
}
function utf8(code) {
  if (code < 1) return fail("has a NUL")
  if (code < 128) return chr[code]
  if (code < 2048) return chr[192 + int(code / 64)] chr[128 + code % 64]
  if (code < 65536) return chr[224 + int(code / 4096)] chr[128 + int(code / 64) % 64] chr[128 + code % 64]
  return chr[240 + int(code / 262144)] chr[128 + int(code / 4096) % 64] chr[128 + int(code / 64) % 64] chr[128 + code % 64]
}
function escape(c, digits, code, low) {  # what follows a backslash; pos is behind it
  c = peek(); pos++
  if (c == "n") return "\n"
  if (c == "t") return "\t"
  if (c == "r") return "\r"
  if (c == "b") return "\b"
  if (c == "f") return "\f"
  if (c == "\"" || c == "\\") return c
  if (c == "/" && json) return c
  if (c == "u" || (c == "U" && !json)) {
    digits = substr(all, pos, c == "u" ? 4 : 8)
    if (length(digits) != (c == "u" ? 4 : 8) || digits ~ /[^0-9A-Fa-f]/) return fail("has an impossible escape")
    pos += length(digits); code = number(digits)
    if (code >= 55296 && code < 57344) {
      low = substr(all, pos + 2, 4)
      if (!json || substr(all, pos, 2) != "\\u" || length(low) != 4 || low ~ /[^0-9A-Fa-f]/) return "\357\277\275"
      if (code >= 56320 || number(low) < 56320 || number(low) > 57343) return "\357\277\275"
      pos += 6; code = 65536 + (code - 55296) * 1024 + number(low) - 56320
    }
    return utf8(code)
  }
  return fail("has an unknown escape")
}
function text(quote, value, rest, c, long, extra) {  # pos is at the opening quote
  long = !json && substr(all, pos, 3) == quote quote quote
  pos += long ? 3 : 1
  if (long && peek() == "\n") pos++
  value = ""
  while (!broken) {
    # What stands up to the next quote, backslash or line end is taken at once.
    rest = substr(all, pos, 512)
    if (quote == "\"" ? match(rest, /^[^"\\\n]+/) : match(rest, /^[^\047\n]+/)) { value = value substr(rest, 1, RLENGTH); pos += RLENGTH; continue }
    c = peek()
    if (c == "") return fail("ends within a text")
    if (c == quote) {
      if (!long) { pos++; return value }
      if (substr(all, pos, 3) == quote quote quote) {
        pos += 3
        for (extra = 0; extra < 2 && peek() == quote; extra++) { value = value quote; pos++ }
        return value
      }
      value = value c; pos++
    } else if (c == "\\") {
      pos++
      if (long && match(substr(all, pos, 512), /^[ \t]*\n/)) { while (peek() ~ /[ \t\n]/ && peek() != "") pos++; continue }
      value = value escape()
    } else {
      if (!long) return fail("has a line break within a text")
      value = value c; pos++
    }
  }
  return value
}
function blanks(c) {  # blanks, and in TOML line ends and comments
  while (pos <= size) {
    c = peek()
    if (c == " " || c == "\t" || c == "\n" || c == "\r") pos++
    else if (c == "#" && !json) { while (pos <= size && peek() != "\n") pos++ }
    else return
  }
}
function gaps() { while (peek() == " " || peek() == "\t") pos++ }
function key_part(c) {
  c = peek()
  if (c == "\"" || c == "\047") return safe(text(c))
  if (!match(substr(all, pos, 512), /^[A-Za-z0-9_-]+/)) return fail("has something else than a key")
  c = substr(all, pos, RLENGTH); pos += RLENGTH
  return c
}
function dotted(prefix, found) {
  found = prefix; gaps()
  while (!broken) {
    found = found (found == "" ? "" : ".") key_part(); gaps()
    if (peek() != ".") return found
    pos++; gaps()
  }
}
function value(key, depth, c, n, inner) {
  if (depth > 40) return fail("is nested too deeply")
  c = peek()
  if (c == "\"" || (c == "\047" && !json)) { emit(key, text(c)); return }
  if (c == "[") {
    pos++; blanks(); n = 0
    if (peek() == "]") { pos++; return }
    while (!broken) {
      value(key "#" n++, depth + 1); blanks()
      if (peek() == ",") { pos++; blanks(); if (peek() == "]" && !json) { pos++; return } continue }
      if (peek() == "]") { pos++; return }
      return fail("has an array without its end")
    }
    return
  }
  if (c == "{") {
    pos++; blanks()
    if (peek() == "}") { pos++; return }
    while (!broken) {
      if (json) { if (peek() != "\"") return fail("has a key without quotes"); inner = key (key == "" ? "" : ".") safe(text("\"")); blanks() }
      else inner = dotted(key)
      if (peek() != (json ? ":" : "=")) return fail("has a key without a value")
      pos++; blanks(); value(inner, depth + 1); blanks()
      if (peek() == ",") { pos++; blanks(); continue }
      if (peek() == "}") { pos++; return }
      return fail("has a table without its end")
    }
    return
  }
  if (!match(substr(all, pos, 128), /^[^][,{}#\n"\047=]+/)) return fail("has something else than a value")
  inner = substr(all, pos, RLENGTH); pos += RLENGTH
  gsub(/[ \t\r]+$/, "", inner)
  if (json ? inner !~ /^(true|false|null|-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?)$/ : inner !~ /^[A-Za-z0-9+.:_ -]+$/) return fail("has something else than a value")
  emit(key, inner)
}
function place(name, parts, n, count, made) {  # where a header leads: into the newest entry of each array of tables
  count = split(name, parts, "."); made = ""
  for (n = 1; n <= count; n++) {
    made = made (made == "" ? "" : ".") parts[n]
    if (n < count && (tag, made) in entries) made = made "#" (entries[tag, made] - 1)
  }
  return made
}
function read(prefix, name, many) {
  pos = 1; size = length(all); broken = 0
  if (json) {
    blanks(); if (peek() != "{") { fail("is no object"); return }
    value("", 0); blanks(); if (!broken && pos <= size) fail("goes on after its end")
    return
  }
  prefix = ""
  for (blanks(); pos <= size && !broken; blanks()) {
    if (peek() == "[") {
      many = substr(all, pos, 2) == "[["; pos += many ? 2 : 1
      name = dotted("")
      if (substr(all, pos, many ? 2 : 1) != (many ? "]]" : "]")) { fail("has a header without its end"); return }
      pos += many ? 2 : 1; prefix = place(name)
      if (many) { entries[tag, prefix]++; prefix = prefix "#" (entries[tag, prefix] - 1) }
      else if ((tag, prefix) in tables || (tag, prefix) in entries) { fail("has a table twice"); return }
      else tables[tag, prefix] = 1
    } else {
      name = dotted(prefix)
      if (peek() != "=") { fail("has a key without a value"); return }
      pos++; gaps(); value(name, 0); gaps()
      if (peek() == "\r") pos++
      if (peek() == "#") while (pos <= size && peek() != "\n") pos++
      if (pos <= size && peek() != "\n") fail("has something after a value")
    }
  }
}
BEGIN {
  for (n = 1; n < 256; n++) { chr[n] = sprintf("%c", n); ord[chr[n]] = n }
  while ((getline tag < listed) > 0) {
    all = ""; some = 0
    while ((getline row < tag) > 0) { all = all (some++ ? "\n" : "") row }
    close(tag); if (some && !json) all = all "\n"
    read()
  }
}'

# 6. The lines that were signed: number, file, place in it, key, line; and of each its payload and its signature.
mkdir "$work/e"
{ find policy-approvals -name '*.jsonl' 2> /dev/null; find changes -path '*/sign-offs/*.jsonl' 2> /dev/null; } | sort > "$work/signed"
while read -r file; do
  tr '\000' '\036' < "$file" | awk -v file="$file" '{ print file "\t" NR "\t" $0 }'
done < "$work/signed" | awk -v folder="$work/e" '
BEGIN { head = "{\"payloadType\":\"application/vnd.in-toto+json\",\"payload\":\"" }
function upto(mark, at, found) {
  at = index(rest, mark); if (!at) { rest = ""; return "" }
  found = substr(rest, 1, at - 1); rest = substr(rest, at + length(mark)); return found
}
{
  at = index($0, "\t"); file = substr($0, 1, at - 1); rest = substr($0, at + 1)
  at = index(rest, "\t"); place = substr(rest, 1, at - 1); line = rest = substr(rest, at + 1)
  key = "-"
  if (substr(rest, 1, length(head)) == head) {
    rest = substr(rest, length(head) + 1)
    payload = upto("\",\"signatures\":[{\"keyid\":\""); named = upto("\",\"sig\":\""); signature = upto("\"}]}")
    if (payload != "" && signature != "" && rest == "" && (payload signature) !~ /[^A-Za-z0-9+\/=]/ && named !~ /[^A-Za-z0-9+\/:=]/ && named != "") {
      key = named
      out = folder "/" NR ".payload64"; print payload > out; close(out)
      out = folder "/" NR ".sig64"; print signature > out; close(out)
    }
  }
  print NR "\t" file "\t" place "\t" key "\t" line
}' > "$work/index"
: > "$work/payloads"; : > "$work/whole"
for file in $(find "$work/e" -name '*.payload64'); do
  number=${file##*/}; number=${number%.payload64}; here="$work/e/$number"
  base64 -d < "$here.payload64" > "$here.json" 2> /dev/null && base64 -d < "$here.sig64" > "$here.sig" 2> /dev/null || continue
  # One spelling: other bits at the end of base64 would say the same.
  test "$(base64 < "$here.json" | tr -d '\n')" = "$(cat "$here.payload64")" || continue
  test "$(base64 < "$here.sig" | tr -d '\n')" = "$(cat "$here.sig64")" || continue
  test "$(tr -d '\000' < "$here.json" | wc -c)" -eq "$(wc -c < "$here.json")" || continue
  echo "$here.json" >> "$work/payloads"; echo "$number" >> "$work/whole"
done
awk -v json=1 -v listed="$work/payloads" "$flat" < /dev/null | sed "s|^$work/e/||" > "$work/statements"
find changes policy -type f \( -path 'policy/*/policy.toml' -o -name change.toml -o -name request.toml \) 2> /dev/null | sort > "$work/documents"
awk -v json=0 -v listed="$work/documents" "$flat" < /dev/null > "$work/documented"
find changes -type f -name verdict.json | sort > "$work/verdicts"
awk -v json=1 -v listed="$work/verdicts" "$flat" < /dev/null | awk -F '\t' '$2 == "status" || $2 == "!"' > "$work/told"

# 7. What files weigh: name, id as git gives it, SHA-256, size. Of each policy the hash over its whole folder.
find changes policy policy-approvals -type f \( -name '*.toml' -o -path 'policy/*' -o -path 'policy-approvals/*' \) 2> /dev/null |
  while read -r file; do
    size=$(($(wc -c < "$file")))
    printf '%s\t%s\t%s\t%s\n' "$file" "$({ printf 'blob %d\0' "$size"; cat -- "$file"; } | named | cut -c-"${#introduction}")" \
      "$(sha256 < "$file" | cut -c-64)" "$size"
  done > "$work/files"
ls changes > "$work/changes" 2> /dev/null || give_up 'there are no changes here'
grep -qv '^CHG-[0-9A-Z-]*$' "$work/changes" && give_up 'a folder below changes is called like no change'
for folder in policy/*; do
  (cd -- "$folder" && find . -type f | cut -c3- | sort | while read -r file; do
    printf '%s  %s\n' "$(sha256 < "./$file" | cut -c-64)" "$file"
  done | sha256 | sed "s|^\(.\{64\}\).*|${folder#policy/}	\1|")
done > "$work/folders"
while read -r change; do
  here="changes/$change"
  test -f "$here/change.toml" || { no "$change: change.toml is missing"; continue; }
  if test -f "$here/request.toml"; then
    head -c "$(($(wc -c < "$here/request.toml")))" "$here/change.toml" | cmp -s - "$here/request.toml" && echo "$change"
  fi
  if test -f "$here/witnesses"; then sed "s|^|$change	|" "$here/witnesses" >> "$work/witnesses"; fi
  if test -f "$here/commits"; then sed "s|^|$change	|" "$here/commits" >> "$work/touches"; fi
  if test -f "$here/recorded"; then sed "s|^|$change	|" "$here/recorded" >> "$work/recorded"; fi
done < "$work/changes" > "$work/prefixes"
touch "$work/witnesses" "$work/touches" "$work/recorded" "$work/results" "$work/keys"
sed 's/ /	/' heads > "$work/heads"
cp policies "$work/policies"

# 8. The judge: run once to tell under which policy and at which time each signature is to be checked, and once more to
# say what holds.
cat > "$work/judge.awk" << 'END_OF_JUDGE'
function shown(text) { gsub(/[^ -~]/, "?", text); return length(text) > 200 ? substr(text, 1, 200) "..." : text }
function ok(text) { if (stage == 2) print "ok      " shown(text) }
function no(text) { if (stage == 2) { print "NOT OK  " shown(text); failed = 1 } }
function say(text) { if (stage == 2) print "--      " shown(text) }
function short(id) { return substr(id, 1, 12) }
function two(n) { return n < 10 ? "0" n : "" n }
# A time as ssh-keygen reads it, in UTC; from days since 1970 by the calendar's own rules.
function clock_of(seconds, days, rest, era, doe, yoe, doy, mp, day, month, year) {
  days = int(seconds / 86400); rest = seconds - days * 86400; days += 719468
  era = int(days / 146097); doe = days - era * 146097
  yoe = int((doe - int(doe / 1460) + int(doe / 36524) - int(doe / 146096)) / 365)
  doy = doe - (365 * yoe + int(yoe / 4) - int(yoe / 100)); mp = int((5 * doy + 2) / 153)
  day = doy - int((153 * mp + 2) / 5) + 1; month = mp < 10 ? mp + 3 : mp - 9; year = yoe + era * 400 + (month <= 2)
  return year two(month) two(day) two(int(rest / 3600)) two(int(rest % 3600 / 60)) two(rest % 60)
}
function day_of(seconds, text) { text = clock_of(seconds); return substr(text, 1, 4) "-" substr(text, 5, 2) "-" substr(text, 7, 2) }
# The seconds of a TOML date and time with its offset; -1 when it is none.
function seconds_of(text, year, month, day, days, seconds, zone) {
  if (text !~ /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9][Tt ][0-9][0-9]:[0-9][0-9]:[0-9][0-9]/) return -1
  year = substr(text, 1, 4) + 0; month = substr(text, 6, 2) + 0; day = substr(text, 9, 2) + 0
  if (month <= 2) { year--; month += 12 }
  days = 365 * year + int(year / 4) - int(year / 100) + int(year / 400) + int((153 * (month - 3) + 2) / 5) + day - 1 - 719468
  seconds = days * 86400 + substr(text, 12, 2) * 3600 + substr(text, 15, 2) * 60 + substr(text, 18, 2)
  zone = substr(text, 20); sub(/^\.[0-9]+/, "", zone)
  if (zone == "Z" || zone == "z") return seconds
  if (zone !~ /^[+-][0-9][0-9]:[0-9][0-9]$/) return -1
  return seconds - (substr(zone, 1, 1) == "-" ? -1 : 1) * (substr(zone, 2, 2) * 3600 + substr(zone, 5, 2) * 60)
}
# A name as the table of folders has it.
function coded(name, made, n, c) {
  if (name !~ /[^!-$&-~]/) return name
  made = ""
  for (n = 1; n <= length(name); n++) { c = substr(name, n, 1); made = made (c ~ /[!-$&-~]/ ? c : sprintf("%%%02X", ord[c])) }
  return made
}
# What stands at a path in a commit: an id, "" for nothing, "?" when the folders on the way are not here.
function at(commit, path, parts, count, n, tree) {
  if (!(commit in tree_of)) return "?"
  tree = tree_of[commit]; count = split(path, parts, "/")
  for (n = 1; n <= count; n++) {
    if (!(tree in is_tree)) return "?"
    if (!((tree, coded(parts[n])) in held)) return ""
    if (n < count && mode[tree, coded(parts[n])] != "40000") return ""
    kind_at = mode[tree, coded(parts[n])]
    tree = held[tree, coded(parts[n])]
  }
  return tree
}
# The same for a regular file: a link of the same bytes is none.
function file_at(commit, path, found) { kind_at = ""; found = at(commit, path); return kind_at ~ /^100/ ? found : "" }
# Reads the note on a text in a notes commit, wherever in the fan-out it stands: 1 when it is all here, 0 when not.
function look(notes, text, tree, rest, note, n) {
  if ((notes, text) in looked) return looked[notes, text]
  if (!(notes in tree_of)) return looked[notes, text] = 0
  tree = tree_of[notes]; rest = text; lines_at[notes, text] = 0
  while (tree != "") {
    if (!(tree in is_tree)) return looked[notes, text] = 0
    if ((tree, rest) in held && mode[tree, rest] != "40000") {
      note = held[tree, rest]
      if (!(note in is_note)) return looked[notes, text] = 0
      for (n = 1; n <= count_of[note]; n++) {
        has[notes, text, line_of[note, n]] = 1; in_note[notes, text, ++lines_at[notes, text]] = line_of[note, n]
      }
    }
    tree = ((tree, substr(rest, 1, 2)) in held && mode[tree, substr(rest, 1, 2)] == "40000") ? held[tree, substr(rest, 1, 2)] : ""
    rest = substr(rest, 3)
  }
  return looked[notes, text] = 1
}
function policy_file(version) { return "policy/" version "/policy.toml" }
function key_of(name, made, n, c) { # a role as a key of TOML is told
  if (name !~ /[^A-Za-z0-9_-]/ && name != "") return name
  made = "%"
  for (n = 1; n <= length(name); n++) { c = substr(name, n, 1); made = made (c ~ /[A-Za-z0-9_-]/ ? c : sprintf("%%%02X", ord[c])) }
  return made
}
function member(version, role, person, n, key) {
  key = "roles." key_of(role) ".members#"
  for (n = 0; (policy_file(version), key n) in doc; n++) if (doc[policy_file(version), key n] == person) return 1
  return 0
}
function members_by_list(file, key, wanted, n) {
  for (n = 0; (file, key "#" n) in doc; n++) if (doc[file, key "#" n] == wanted) return 1
  return 0
}
# Whether the policy waives a separation of duties for a change at a time.
function waived(version, name, change, seconds, file, request, n, s, fits) {
  file = policy_file(version); request = "changes/" change "/request.toml"
  for (n = 0; (file, "waivers#" n ".waives") in doc; n++) {
    if (doc[file, "waivers#" n ".waives"] != name || seconds >= seconds_of(doc[file, "waivers#" n ".expires"])) continue
    if ((file, "waivers#" n ".types#0") in doc && !members_by_list(file, "waivers#" n ".types", doc[request, "type"])) continue
    fits = 1
    if ((file, "waivers#" n ".systems#0") in doc)
      for (s = 0; (request, "systems#" s) in doc; s++)
        if (!members_by_list(file, "waivers#" n ".systems", doc[request, "systems#" s])) fits = 0
    if (fits) { say(change ": policy " version " waives " name ": " doc[file, "waivers#" n ".reason"]); return 1 }
  }
  return 0
}
# A folder of a policy and everything below it, held against the files here; the number of files.
function same_folder(version, tree, prefix, n, name, sum, file) {
  if (!(tree in is_tree)) { broken_folder = "a folder of it is not here"; return 0 }
  for (n = 1; n <= entries_of[tree]; n++) {
    name = name_in[tree, n]
    if (mode[tree, name] == "40000") { sum += same_folder(version, held[tree, name], prefix name "/"); continue }
    file = "policy/" version "/" prefix name
    if (id_of[file] != held[tree, name] || mode[tree, name] !~ /^100/) broken_folder = file " is not the one that was approved"
    sum++
  }
  return sum
}
function statement(k, key) { return ((k ".json"), key) in said ? said[k ".json", key] : "" }
# What is wrong with a statement as such; "" when nothing is.
function malformed(k, step, verdict, n) {
  if (key_in[k] == "-" || !(k in whole)) return "is no envelope in its one spelling"
  if ((k ".json", "!") in said) return "has a statement that " said[k ".json", "!"]
  if (statement(k, "_type") != "https://in-toto.io/Statement/v1" || statement(k, "predicateType") != "urn:x-gitchange:sign-off:v1") return "is no sign-off"
  if ((k ".json", "subject#1.name") in said) return "is about several things"
  step = statement(k, "predicate.step"); verdict = statement(k, "predicate.verdict")
  if (!((step, verdict) in verdicts)) return "has a verdict that is none of its step"
  if (statement(k, "predicate.meaning") != meaning[verdict]) return "has another meaning than its verdict"
  if (statement(k, "predicate.repository") != introduction) return "was made for another repository"
  if (verdict == "approve" && (statement(k, "predicate.answers.necessary") != "true" || statement(k, "predicate.answers.feasible") != "true" || statement(k, "predicate.answers.safe") != "true")) return "approves and does not say necessary, feasible and safe"
  if (verdict == "validate" && (statement(k, "predicate.answers.works") != "true" || statement(k, "predicate.answers.no_security_risk") != "true")) return "validates and does not say that it works without new risk"
  if (statement(k, "predicate.by") ~ /[ \t,*?!"'<>\\]/ || statement(k, "predicate.by") == "") return "is by no person"
  return ""
}
function task(k, version, seconds) {
  if (stage == 1 && !malformed(k)) print k "\t" version "\t" clock_of(seconds) "\t" key_in[k] "\t" statement(k, "predicate.by")
}
# What is wrong with a signature under a policy; "" when it is good.
function unsigned(k, version, by, n, count, owners) {
  by = statement(k, "predicate.by")
  if (!(k in result)) return "was not checked"
  if (result[k] != "good") return result[k] == "" ? "has a signature that does not hold under policy " version : result[k]
  if (print_of[k] == "") return "is by a key that cannot be told"
  if (print_of[k] ~ /^SHA256:/) {
    count = split(owners_of[version, print_of[k]], owners, "\n")
    for (n = 2; n <= count; n++) if (owners[n] != by) return "is by a key of several persons"
  }
  return ""
}
# Where the line's tip says that a key is compromised, it signs nothing from there on.
function compromised(k, spot, file, n) {
  file = policy_file(newest)
  for (n = 0; (file, "compromised#" n ".key") in doc; n++)
    if (doc[file, "compromised#" n ".key"] == print_of[k] || ("openpgp:" primary_of[k]) == doc[file, "compromised#" n ".key"])
      if (spot == "" || !(doc[file, "compromised#" n ".since"] in place) || spot >= place[doc[file, "compromised#" n ".since"]]) return 1
  return 0
}

# -- the line of the branch of record --
function read_line(commit, n, count, order, newest_time) {
  for (commit = main; commit in tree_of; commit = parent_of[commit]) {
    if (commit in place) break
    order[++count] = commit; place[commit] = -count
    if (commit == introduction) break
  }
  if (!(introduction in place)) { no("the commits here do not lead from the tip back to the introduction"); return 0 }
  newest_time = 0
  for (n = count; n >= 1; n--) {
    place[order[n]] = count - n; commit_at[count - n] = order[n]
    if (when_of[order[n]] > newest_time) newest_time = when_of[order[n]]
    time_of[order[n]] = newest_time
    if (witness_of[order[n]] != "-") last_witnessed = witness_of[order[n]]
  }
  ok("the branch of record: " count " commit(s) from the introduction " short(introduction) " to " short(main))
  return 1
}
# -- the policies, each approved under the one before it --
function read_policies(n, version, before, tree, commit, k, by, number, approved, who, need, good, file, wrong) {
  before = ""
  for (n = 1; n <= versions; n++) {
    version = version_at[n]; tree = policy_tree[version]; commit = policy_commit[version]; good = 1
    if (!(commit in place) || at(commit, "policy") != tree) { no("policy " version ": commit " short(commit) " of the branch of record has not this policy"); good = 0 }
    broken_folder = ""; number = same_folder(version, tree, "")
    if (broken_folder != "") { no("policy " version ": " broken_folder); good = 0 }
    else if (number != files_in[version]) { no("policy " version ": there are files that do not belong to it"); good = 0 }
    if ((policy_file(version), "!") in doc) { no("policy " version ": policy.toml " doc[policy_file(version), "!"]); good = 0 }
    if (doc[policy_file(version), "version"] != version) { no("policy " version ": policy.toml says that it is version " doc[policy_file(version), "version"]); good = 0 }
    if (n == 1) {
      if (commit != introduction) { no("policy " version ": the first policy is not that of the introduction"); good = 0 }
      if (good) ok("policy " version ": the introduction has it; it is trusted because you know the introduction")
    } else {
      if (version != before + 1) { no("policy " version ": it does not follow policy " before); good = 0 }
      file = "policy-approvals/" version ".jsonl"
      if (id_of[file] == "" || id_of[file] != at(commit, file)) { no("policy " version ": its approvals are not those of commit " short(commit)); good = 0 }
      split("", approved); number = 0; who = ""
      for (k = 1; k <= lines; k++) {
        if (file_of[k] != file) continue
        task(k, before, time_of[commit])
        if (stage == 1) continue
        by = statement(k, "predicate.by"); wrong = malformed(k)
        if (wrong == "") wrong = unsigned(k, before)
        if (wrong == "" && (statement(k, "predicate.verdict") != "approve-policy" || statement(k, "predicate.role") != "root" || !member(before, "root", by))) wrong = "is not by a member of root"
        if (wrong == "" && (statement(k, "subject#0.digest.gitTree") != tree || statement(k, "subject#0.digest.dirHash") != folder_hash[version] || statement(k, "subject#0.name") != "policy" || statement(k, "predicate.change") != "policy-" version)) wrong = "is about another policy"
        if (wrong != "") { say("policy " version ": line " place_of[k] " of its approvals " wrong); continue }
        if (!(by in approved)) { approved[by] = 1; number++; who = who (who == "" ? "" : ", ") by }
      }
      need = ((policy_file(before), "roles.root.threshold") in doc) ? doc[policy_file(before), "roles.root.threshold"] + 0 : 1
      if (need < 1 || number < need) { no("policy " version ": " number " of the " need " members of root that policy " before " asks for approved it"); good = 0 }
      if (good) ok("policy " version ": approved under policy " before " by " who)
    }
    before = version; if (good) trusted[version] = 1
  }
  newest = before
  if (at(main, "policy") != policy_tree[newest]) no("the policy at the tip is not policy " newest)
}

# -- one line that was signed --
# Where it was witnessed, and by which policy it is judged: sets version, moment, spot, witnessed; "" or what is wrong.
function witnessing(k, change, text, commit, n, earlier, before) {
  version = moment = spot = witnessed = ""
  if (how[k] == "none") {
    version = version_of[at(main, "policy")]
    moment = time_of[main]; if (notes in when_of && when_of[notes] > moment) moment = when_of[notes]
    witnessed = "not witnessed yet"
    if (last_witnessed != "" && (!look(last_witnessed, text) || ((last_witnessed, text, line[k]) in has))) return "was witnessed, and it is not told where"
    return look(notes, text) && ((notes, text, line[k]) in has) ? "" : "is not in the notes here"
  }
  commit = by_commit[k]
  if (!(commit in place)) return "is witnessed by no commit of the branch of record"
  if (parent_of[commit] == "-") return "is witnessed by a commit without a policy before it"
  before = at(parent_of[commit], "policy")
  spot = place[commit]; moment = time_of[commit]; witnessed = "witnessed by " short(commit) " on " day_of(moment)
  if (!(before in version_of)) return "was witnessed when a policy was in force that is not here"
  version = version_of[before]
  if (how[k] == "record") {
    if (at(commit, path) != id_of["changes/" change "/change.toml"]) return "is not in the record of commit " short(commit)
  } else if (!look(witness_of[commit], text) || !((witness_of[commit], text, line[k]) in has)) return "is not in the notes that commit " short(commit) " witnesses"
  for (n = spot - 1; n >= 0; n--) {
    earlier = witness_of[commit_at[n]]
    if (earlier == "-") continue
    if (!look(earlier, text)) return "may have been witnessed before commit " short(commit) ": the notes " short(earlier) " are not here"
    if ((earlier, text, line[k]) in has) return "was witnessed before commit " short(commit)
    break
  }
  return ""
}
# Everything about one line on one text: its worth is 1 when it is genuine and signed in a role that was held, 0.5 when
# it is genuine; otherwise 0, and wrong says why.
function judge_line(k, change, text, texts_file) {
  wrong = malformed(k)
  if (wrong == "") wrong = witnessing(k, change, text)
  if (wrong == "") task(k, version, moment)
  if (stage == 1) return 0
  if (wrong == "" && !(version in trusted)) wrong = "is judged by policy " version ", which does not hold"
  if (wrong == "") wrong = unsigned(k, version)
  if (wrong == "" && (statement(k, "predicate.change") != change || statement(k, "subject#0.name") != path || statement(k, "subject#0.digest.gitBlob") != text || statement(k, "subject#0.digest.sha256") != sha_of[texts_file])) wrong = "is about another text"
  if (wrong == "" && compromised(k, spot)) wrong = "is by a key that is compromised"
  if (wrong != "") return 0
  if (!member(version, statement(k, "predicate.role"), statement(k, "predicate.by"))) { wrong = statement(k, "predicate.by") " did not hold the role " statement(k, "predicate.role"); return 0.5 }
  return 1
}
function words(k) { return statement(k, "predicate.verdict") " by " statement(k, "predicate.by") " as " statement(k, "predicate.role") }
# Whether the signer of one line had seen another: it stands in the notes that the statement names.
function had_seen(k, other, text, log_) {
  log_ = statement(k, "predicate.log")
  return look(log_, text) && ((log_, text, line[other]) in has)
}

# -- one change --
function judge_change(change, folder, file, request, k, n, text, texts_file, is_current, tag, row, verdict, by, told, has_record, count, number, other, type, requester, approvals, done, validated, seen, standing, commit, claim, key) {
  folder = "changes/" change; file = folder "/change.toml"; request = folder "/request.toml"
  path = "changes/" substr(change, 5, 4) "/" substr(change, 9, 2) "/" change ".toml"
  if (id_of[file] == "" || file_at(main, path) != id_of[file]) no(change ": change.toml is not the file that stands in commit " short(main))
  else ok(change ": change.toml is the file that stands in commit " short(main))
  told = ((folder "/verdict.json", "status") in status) ? status[folder "/verdict.json", "status"] : "nothing"
  # The commits that touched it are genuine, and made of the file what is said.
  for (n = 1; n <= touches[change]; n++) {
    commit = touch_commit[change, n]; text = at(commit, path)
    if (commit in once) no(change ": the commit " short(commit) " is told twice")
    once[commit] = change
    if (text == "?" || text != (touch_blob[change, n] == "-" ? "" : touch_blob[change, n])) no(change ": the commit " short(commit) " did not make of the file what is said")
  }
  split("", once)
  if (id_of[request] == "") {
    if (told == "unreadable" || told == "nothing") say(change ": gitchange could not judge it, and nothing more is checked")
    else no(change ": request.toml is missing")
    return
  }
  if ((request, "!") in doc || (file, "!") in doc) { no(change ": the file cannot be read here: it " doc[request, "!"] doc[file, "!"]); return }
  if (doc[request, "id"] != change) no(change ": the request is that of " doc[request, "id"])
  has_record = ((file, "record.request_bytes") in doc)
  if (!(change in prefix)) no(change ": request.toml is not the beginning of change.toml")
  else if (has_record && (doc[file, "record.request_bytes"] != size_of[request] || doc[file, "record.request_blob"] != id_of[request] || doc[file, "record.request_sha256"] != sha_of[request])) no(change ": the record is about another request")
  else if (!has_record && id_of[request] != id_of[file]) no(change ": request.toml is not change.toml, and there is no record")
  else ok(change ": request.toml, " size_of[request] " bytes, is the text that was signed")
  type = doc[request, "type"]; requester = doc[request, "requester"]; text = id_of[request]

  # The record: the same since it was made.
  if (has_record) {
    commit = recorded_by[change]
    if (!(commit in place)) no(change ": no commit of the branch of record is named that brought the record")
    else if (at(commit, path) != id_of[file]) no(change ": the record was edited since commit " short(commit))
    else if (at(parent_of[commit], path) == id_of[file]) no(change ": the record is older than commit " short(commit))
    else ok(change ": the record was brought by commit " short(commit) " on " day_of(time_of[commit]) ", and not edited since")
  }

  # Every line on every text.
  for (k = 1; k <= lines; k++) {
    if (index(file_of[k], folder "/sign-offs/") != 1) continue
    row = substr(file_of[k], length(folder "/sign-offs/") + 1); sub(/\.jsonl$/, "", row)
    texts_file = folder "/texts/" row ".toml"; is_current = row == text
    on_text[k] = row; tag = change ": " (is_current ? "" : "on an earlier text: ")
    if (id_of[texts_file] != row) { no(change ": texts/" row ".toml is not the text of that id"); continue }
    if (!(k in how)) { no(change ": line " place_of[k] " on " short(row) " has no witness here"); continue }
    worth[k] = judge_line(k, change, row, texts_file)
    version_for[k] = version; moment_for[k] = moment; spot_for[k] = spot
    if (stage == 1) continue
    if (worth[k] == 1) ok(tag words(k) ": good under policy " version ", " witnessed (how_worth[k] == "counts" ? "" : "; gitchange does not count it"))
    else if (worth[k] == 0.5) { if (how_worth[k] == "counts") no(tag words(k) ": " wrong); else say(tag words(k) ": genuine, " wrong ", so it does not count") }
    else if (how_worth[k] == "doubt") say(tag "line " place_of[k] " on " short(row) " " wrong "; gitchange does not count it either")
    else no(tag "line " place_of[k] " on " short(row) " " wrong)
    if (is_current) mine[change, ++count] = k
  }
  if (stage == 1) return

  # Nothing was left out: all lines that the notes have on its texts, at their tip and where they were last witnessed.
  complete(change, folder, text, has_record, file)

  # What counts: of a documented change what its record says, otherwise what gitchange counts.
  number = 0; split("", counted); split("", implemented)
  for (n = 1; n <= count; n++) {
    k = mine[change, n]
    if (worth[k] > 0 && statement(k, "predicate.step") == "implementation") implemented[statement(k, "predicate.by")] = 1
    if (has_record ? (line[k] in in_record) : (how_worth[k] == "counts")) {
      if (worth[k] != 1) { no(change ": what counts is not genuine: line " place_of[k]); continue }
      counted[++number] = k
    }
  }
  # Separation of duties, for what counts.
  approvals = done = validated = seen = 0
  for (n = 1; n <= number; n++) {
    k = counted[n]; verdict = statement(k, "predicate.verdict"); by = statement(k, "predicate.by")
    if (verdict == "approve") {
      approvals++
      if (by == requester && !waived(version_for[k], "evaluator-is-requester", change, moment_for[k])) no(change ": " by " requested and approved it")
      else if (by != requester && is_author(change, by, file, has_record) && !waived(version_for[k], "evaluator-is-author", change, moment_for[k])) no(change ": " by " wrote the request and approved it")
      else if (type == "emergency" && by in implemented) no(change ": " by " implemented the emergency and approved it")
      else ok(change ": " by ", who approved, is neither " requester " nor another author")
    } else if (verdict == "implement" || verdict == "back-out") done++
    else if (verdict == "validate") {
      validated++
      if (by in implemented && !waived(version_for[k], "validator-is-implementer", change, moment_for[k])) no(change ": " by " implemented and validated it")
      else ok(change ": " by ", who validated, did not implement")
    }
  }
  # The order is what signers had seen, not what clocks say.
  for (n = 1; n <= number; n++) {
    k = counted[n]; verdict = statement(k, "predicate.verdict"); seen = 0
    if ((verdict != "implement" || type != "normal") && verdict != "validate") continue
    for (other = 1; other <= number; other++)
      if (verdict == "implement" ? statement(counted[other], "predicate.verdict") == "approve" : statement(counted[other], "predicate.step") == "implementation")
        if (had_seen(k, counted[other], text)) seen++
        else if (verdict == "validate") seen -= 1000
    if (seen > 0) ok(change ": " statement(k, "predicate.by") " signed " verdict " having seen " (verdict == "implement" ? "an approval" : "the implementation"))
    else {
      seen = change ": " statement(k, "predicate.by") " signed " verdict " without having seen " (verdict == "implement" ? "an approval" : "the implementation") ", by what counts here"
      if (has_record || told == "implemented" || told == "validated" || told == "documented") no(seen)
      else say(seen)
    }
  }
  # A refusal stands until the same person, having seen it, says otherwise.
  standing = 0
  for (n = 1; n <= count; n++) {
    k = mine[change, n]; verdict = statement(k, "predicate.verdict")
    if (worth[k] != 1 || (verdict != "reject" && verdict != "request-info" && verdict != "fail")) continue
    number = 0
    for (other = 1; other <= count; other++) {
      key = mine[change, other]
      if (worth[key] == 1 && statement(key, "predicate.by") == statement(k, "predicate.by") && statement(key, "predicate.verdict") == (verdict == "fail" ? "validate" : "approve") && had_seen(key, k, text)) number = 1
      if (verdict == "fail" && worth[key] == 1 && statement(key, "predicate.step") == "implementation" && had_seen(key, k, text)) number = 1
    }
    if (number) continue
    # What was refused after the change was documented does not undo it; it is told.
    if (has_record && (spot_for[k] == "" || spot_for[k] > place[recorded_by[change]])) { say(change ": " words(k) " came after it was documented"); continue }
    standing++; say(change ": " words(k) " was not taken back")
  }
  # What gitchange says is told as such, and must not say more than what is here.
  claim = has_record ? "it has a record" : "it is told to be " told
  if (has_record || told == "approved" || told == "implemented" || told == "validated" || told == "documented") {
    if (standing) no(change ": " claim ", and a refusal stands")
    if (!approvals && type != "standard" && !(type == "emergency" && !has_record && told != "approved")) no(change ": " claim ", and nobody approved it")
  }
  if ((has_record || told == "implemented" || told == "validated") && !done) no(change ": " claim ", and nobody implemented it")
  if ((has_record || told == "validated") && !validated) no(change ": " claim ", and nobody validated it")
  if (told == "documented" && !has_record) no(change ": " claim ", and has no record")
  say(change ": gitchange says " told (has_record && told != "documented" ? ", although it has a record" : ""))
}
function is_author(change, person, file, has_record, n, count, parts, commit) {
  for (n = 1; n <= touches[change]; n++) {
    if (has_record && touch_blob[change, n] == id_of[file]) continue
    commit = touch_commit[change, n]
    count = split(authors_of[commit], parts, " ")
    while (count > 0) if (parts[count--] == tolower(person)) return 1
  }
  return 0
}
function complete(change, folder, text, has_record, file, n, k, where, which, one, missing, strange, texts, total, own, known) {
  split("", known); split("", in_record); missing = strange = total = 0; texts[text] = 1
  for (n = 1; n <= touches[change]; n++) if (touch_blob[change, n] != "-") texts[touch_blob[change, n]] = 1
  for (k = 1; k <= lines; k++)
    if (index(file_of[k], folder "/sign-offs/") == 1) { known[on_text[k], line[k]] = 1; texts[on_text[k]] = 1 }
  if (has_record) for (n = 0; (file, "record.sign_offs#" n ".envelope") in doc; n++) {
    one = doc[file, "record.sign_offs#" n ".envelope"]; gsub(/\\\\/, "\\", one); in_record[one] = 1
    if (!((text, one) in known)) { no(change ": sign-off " n + 1 " of the record is not among the sign-offs here"); missing++ }
  }
  for (which = 1; which <= 2; which++) {
    where = which == 1 ? notes : last_witnessed
    if (where == "" || where == "-") continue
    for (own in texts) {
      if (!look(where, own)) { no(change ": the notes " short(where) " on " short(own) " are not here"); missing++; continue }
      for (n = 1; n <= lines_at[where, own]; n++) {
        if (which == 1) total++
        if (!((own, in_note[where, own, n]) in known)) { no(change ": a line that the notes " short(where) " have on " short(own) " is left out here"); missing++ }
      }
    }
  }
  for (k = 1; k <= lines; k++)
    if (index(file_of[k], folder "/sign-offs/") == 1 && !((notes, on_text[k], line[k]) in has) && !(on_text[k] == text && line[k] in in_record)) {
      no(change ": line " place_of[k] " on " short(on_text[k]) " is neither in the notes nor in the record"); strange++
    }
  if (!missing && !strange) ok(change ": these are all sign-offs that the notes have on its texts: " total)
}

BEGIN {
  FS = "\t"
  for (n = 1; n < 256; n++) ord[sprintf("%c", n)] = n
  count = split("evaluation approve,evaluation reject,evaluation request-info,freeze override-freeze,implementation implement,implementation back-out,validation validate,validation fail,withdrawal withdraw,policy approve-policy", pairs, ",")
  while (count > 0) { split(pairs[count--], pair, " "); verdicts[pair[1], pair[2]] = 1 }
  meaning["approve"] = "I have evaluated this text and judge the change necessary, feasible and safe. I approve it."
  meaning["reject"] = "I have evaluated this text and do not want the change to be made. I reject it."
  meaning["request-info"] = "I have evaluated this text and cannot decide on it before my questions are answered."
  meaning["override-freeze"] = "I know that this change is planned in a freeze. It cannot wait, for the reason that I give."
  meaning["implement"] = "I have implemented this text as my answers say, and tested it with these results."
  meaning["back-out"] = "I have tried to implement this text and have backed the change out again."
  meaning["validate"] = "I have used the changed systems: they work as expected, and I see no new security risk."
  meaning["fail"] = "I have used the changed systems and found that the change does not hold what it promised."
  meaning["withdraw"] = "I withdraw this change; it is not to be implemented."
  meaning["approve-policy"] = "I have read this policy as a whole. It shall take the place of the one in force."
}
function rest_of(row, fields) { while (fields-- > 0) row = substr(row, index(row, "\t") + 1); return row }
table == "heads" { if ($1 == "introduction") introduction = $2; if ($1 == "main") main = $2; if ($1 == "notes") notes = $2 }
table == "commits" { tree_of[$1] = $2; parent_of[$1] = $3; when_of[$1] = $4 + 0; witness_of[$1] = $5; authors_of[$1] = $6 }
table == "trees" {
  if (NF == 1) { is_tree[$1] = 1; next }
  if (($1, $3) in held) { no("the folder " $1 " names something twice"); next }
  held[$1, $3] = $4; mode[$1, $3] = $2; name_in[$1, ++entries_of[$1]] = $3
}
table == "lines" { if (NF == 1) is_note[$1] = 1; else line_of[$1, ++count_of[$1]] = rest_of($0, 1) }
table == "files" {
  id_of[$1] = $2; sha_of[$1] = $3; size_of[$1] = $4
  if (split($1, parts, "/") > 2 && parts[1] == "policy") {
    files_in[parts[2]]++
    if (coded($1) != $1) id_of[coded($1)] = $2
  }
}
table == "folders" { folder_hash[$1] = $2 }
table == "policies" {
  if ($1 !~ /^[1-9][0-9]*$/ || $1 in policy_tree) { no("the list of policies names " $1 " twice, or no number"); next }
  version_at[++versions] = $1; policy_tree[$1] = $2; policy_commit[$1] = $3; version_of[$2] = $1
}
table == "index" { lines = $1; file_of[$1] = $2; place_of[$1] = $3; key_in[$1] = $4; line[$1] = rest_of($0, 4); spot_of[$2, $3] = $1 }
table == "whole" { whole[$1] = 1 }
table == "statements" { said[$1, $2] = rest_of($0, 2) }
table == "documented" { doc[$1, $2] = rest_of($0, 2) }
table == "told" { status[$1, $2] = rest_of($0, 2) }
table == "prefixes" { prefix[$1] = 1 }
table == "recorded" { if ($1 in recorded_by || NF != 2) no($1 ": several commits are said to have brought the record"); recorded_by[$1] = $2 }
table == "touches" { touch_commit[$1, ++touches[$1]] = $2; touch_blob[$1, touches[$1]] = $3 }
table == "witnesses" {
  k = spot_of["changes/" $1 "/sign-offs/" $2 ".jsonl", $3]
  if (k == "" || k in how) { no($1 ": the witness of line " $3 " on " short($2) " is told twice, or of no line"); next }
  if (NF != 6 || ($4 != "counts" && $4 != "genuine" && $4 != "doubt") || ($5 != "notes" && $5 != "record" && $5 != "none")) no($1 ": nobody can tell what is said of line " $3 " on " short($2))
  how_worth[k] = $4; how[k] = $5; by_commit[k] = $6
}
table == "results" { result[$1] = $2; print_of[$1] = $3; primary_of[$1] = $4 }
table == "keys" { owners_of[$1, $2] = owners_of[$1, $2] "\n" $3 }
table == "changes" { change_at[++changes] = $1 }
END {
  if (read_line()) {
    read_policies()
    if (!changes) no("there is no change here")
    for (n_ = 1; n_ <= changes; n_++) judge_change(change_at[n_])
  }
  exit failed
}
END_OF_JUDGE
judge() { # STAGE
  awk -v stage="$1" -f "$work/judge.awk" table=heads "$work/heads" table=commits "$work/commits" table=trees "$work/trees" \
    table=lines "$work/lines" table=files "$work/files" table=folders "$work/folders" table=policies "$work/policies" \
    table=index "$work/index" table=whole "$work/whole" table=statements "$work/statements" \
    table=documented "$work/documented" table=told "$work/told" table=prefixes "$work/prefixes" \
    table=recorded "$work/recorded" table=touches "$work/touches" table=witnesses "$work/witnesses" \
    table=results "$work/results" table=keys "$work/keys" table=changes "$work/changes"
}
judge 1 > "$work/tasks"

# 9. The signatures, each under the policy and at the time that the judge named: number, verdict, key.
frame() { echo '-----BEGIN SSH SIGNATURE-----'; fold -w 70 < "$1"; echo '-----END SSH SIGNATURE-----'; }
by_ssh() { # NUMBER VERSION TIME BY
  frame "$work/e/$1.sig64" > "$work/e/$1.armor"
  if ssh-keygen -Y verify -f "policy/$2/allowed_signers" -I "$4" -n gitchange -s "$work/e/$1.armor" \
    -O "verify-time=$3" < "$work/e/$1.signed" > "$work/e/$1.said" 2>&1; then
    printf '%s\tgood\t%s\n' "$1" "$(sed -n 's/^Good "gitchange" signature for .* with .* key \(SHA256:[A-Za-z0-9+\/]*\)$/\1/p' "$work/e/$1.said")"
  else
    printf '%s\tbad\n' "$1" | sed 's/bad$/has a signature that ssh-keygen refuses under that policy/'
  fi
}
by_openpgp() { # NUMBER VERSION TIME BY KEY
  if ! command -v gpg > /dev/null; then
    printf '%s\tis signed with OpenPGP, which was not checked: gpg was not found\n' "$1"; return
  fi
  certificates="policy/$2/openpgp/$4.asc"
  case $4 in *[!A-Za-z0-9._@+-]* | .*) certificates=/dev/null ;; esac
  home="$work/gnupg-$1"; mkdir -m 700 "$home"
  gpg --homedir "$home" --batch --quiet --no-autostart --import "$certificates" > /dev/null 2>&1
  gpg --homedir "$home" --batch --no-autostart --trust-model always --faked-system-time \
    "$(echo "$3" | sed 's/^\(........\)\(......\)$/\1T\2/')" --status-fd 1 \
    --verify "$work/e/$1.sig" "$work/e/$1.signed" > "$work/e/$1.status" 2> /dev/null
  if grep -q '^\[GNUPG:\] GOODSIG ' "$work/e/$1.status" &&
    grep -qi "^\[GNUPG:\] VALIDSIG ${5#openpgp:} " "$work/e/$1.status"; then
    printf '%s\tgood\t%s\t%s\n' "$1" "$5" \
      "$(awk '$2 == "VALIDSIG" { print tolower($NF) }' "$work/e/$1.status")"
  else
    printf '%s\thas a signature that gpg refuses under that policy\n' "$1"
  fi
}
tab=$(printf '\t')
while IFS="$tab" read -r number version time key by; do
  case $number$version$time in *[!0-9]*) continue ;; esac
  { printf 'DSSEv1 28 application/vnd.in-toto+json %d ' "$(($(wc -c < "$work/e/$number.json")))"; cat "$work/e/$number.json"; } > "$work/e/$number.signed"
  case $key in
    openpgp:*) by_openpgp "$number" "$version" "$time" "$by" "$key" ;;
    *) if test -f "policy/$version/allowed_signers"; then by_ssh "$number" "$version" "$time" "$by"; fi ;;
  esac
done < "$work/tasks" > "$work/results"
# Whose each key is, by the fingerprint that ssh-keygen gives it.
for folder in policy/*; do
  test -f "$folder/allowed_signers" || continue
  awk '!/^[ \t]*#/ {
    for (i = 2; i < NF; i++) if ($i ~ /^(ssh-|ecdsa-|sk-)/ && $(i + 1) ~ /^AAAA/) {
      gsub(/"/, "", $1); count = split($1, names, ",")
      for (n = 1; n <= count; n++) print $i, $(i + 1), names[n]
      break
    }
  }' "$folder/allowed_signers" > "$work/public"
  if test -s "$work/public"; then
    ssh-keygen -lf "$work/public" 2> /dev/null | awk -v version="${folder#policy/}" '{ print version "\t" $2 "\t" $3 }'
  fi
done > "$work/keys"

# 10. What holds.
judge 2 || bad=1

# 11. What gitchange found in the whole repository, as its word.
if test -f verification.json; then
  echo verification.json > "$work/verification"
  case $(awk -v json=1 -v listed="$work/verification" "$flat" < /dev/null | awk -F '\t' '$2 == "verdict" { print $3 }') in
    ok) echo '--      gitchange says that everything in the repository is borne out' ;;
    *) echo '--      gitchange does NOT say that everything in the repository is borne out: verification.json says why' ;;
  esac
fi

# 12. The sample: drawn from its population by its seed, and all of it here.
if test -f sample.json; then
  echo sample.json > "$work/samples"
  awk -v json=1 -v listed="$work/samples" "$flat" < /dev/null | cut -f 2- > "$work/sample"
  one() { sed -n "s/^$1	//p" "$work/sample"; }
  all() { sed -n "s/^$1#[0-9]*	//p" "$work/sample"; }
  all population.ids | grep '^CHG-[0-9A-Z-]*$' | sort > "$work/population"
  # By hand: `printf '%s\n%s' SEED ID | sha256sum` for each; here of all at once.
  mkdir "$work/ranks"; one seed | sed 's/\\\\/\\/g' > "$work/seed"
  awk -v folder="$work/ranks/" -v from="$work/seed" 'BEGIN { getline seed < from }
    { file = folder $0; printf "%s\n%s", seed, $0 > file; close(file) }' "$work/population"
  (cd "$work/ranks" && ls | each256) | sort | head -n "$(one size | tr -cd 0-9)" | cut -c67- > "$work/drawn"
  all sample > "$work/named"
  if test "$(one population.n)" = "$(($(wc -l < "$work/population")))" &&
    test "$(sha256 < "$work/population" | cut -c-64)" = "$(one population.digest)" &&
    cmp -s "$work/drawn" "$work/named" && sort "$work/drawn" | cmp -s - "$work/changes"; then
    ok "the changes here are the first $(($(wc -l < "$work/drawn"))) of the $(one population.n) in the order of the seed"
  else
    no 'the changes here are not those that the seed draws from the population in sample.json'
  fi
  if test "$(one complete)" = true; then echo '--      gitchange says that the population is complete'
  else echo '--      gitchange does not say that the population is complete: sample.json says why'; fi
fi
if test "$bad" -eq 0; then echo 'Everything that is here holds. VERIFY.md says what that proves, and what it does not.'
else echo 'NOT everything holds: see the lines that begin with NOT OK.'; fi
exit "$bad"
