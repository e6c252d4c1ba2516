"""From a predicate to a line in the notes: sign with the user's tool, check as readers will, keep.

What is signed, and whether it would count, is decided by `signoffs`, `policies` and `recording`.
"""

from __future__ import annotations

from gitchange.errors import GitchangeError
from gitchange.ledger import notes
from gitchange.ledger.signoffs import Authenticator, Doubt
from gitchange.model.statement import NAMESPACE, PAYLOAD_TYPE, write_statement
from gitchange.signing.dsse import Envelope, pae
from gitchange.signing.signers import name_of_key
from gitchange.workflow.workspace import retrying

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gitchange.ledger.signoffs import Text
    from gitchange.model.evidence import SignOff
    from gitchange.model.policy import Policy
    from gitchange.model.statement import Predicate
    from gitchange.workflow.workspace import Workspace


def claimed_time(workspace: Workspace) -> str:
    """Now, as a statement claims it: RFC 3339 in UTC, whole seconds."""
    return workspace.now.isoformat(timespec="seconds").replace("+00:00", "Z")


def sign_and_keep(
    workspace: Workspace, policy: Policy, text: Text, predicate: Predicate, message: str
) -> tuple[SignOff, str]:
    """Make a sign-off and keep it; the sign-off and the notes commit that has it, in these steps:

    1. write the statement and have it signed;
    2. the envelope must be genuine by the very check that readers make, under `policy`;
    3. append it to the note of the text, however often others are faster.
    """
    # 1.
    line = signed_line(workspace, write_statement(text.path, text.blob, text.sha256, predicate))
    # 2.
    authenticator = Authenticator(
        workspace.repository, workspace.assessor.ground.introduction, policy, workspace.now
    )
    judged = authenticator.authenticate(line, text)
    if isinstance(judged, Doubt):
        raise not_accepted(judged)
    # 3.
    log = f"gitchange {predicate.verdict} {predicate.change}"
    return judged, kept(workspace, text.blob, line, message, log)


def signed_line(workspace: Workspace, payload: bytes) -> bytes:
    """The envelope of a payload that the user's tool has signed."""
    signature = workspace.signer.sign(pae(PAYLOAD_TYPE, payload), NAMESPACE)
    return Envelope(PAYLOAD_TYPE, payload, name_of_key(signature), signature).to_line()


def not_accepted(doubt: Doubt) -> GitchangeError:
    """The error for a signature that readers would not accept."""
    return GitchangeError(
        f"the signature was made and is not accepted: {doubt.finding.message}", hint=doubt.finding.hint
    )


def kept(workspace: Workspace, oid: str, line: bytes, message: str, log: str) -> str:
    """Append a line to the note of an object, however often others are faster; the notes commit that has it."""
    repository = workspace.repository

    def keep() -> str:
        tip = repository.ref(notes.REF)
        made = notes.append(repository, tip, oid, [line], workspace.who(), message)
        repository.set_ref(notes.REF, made, tip, log)
        return made

    return retrying(keep)
