"""A job as curl commands that bash, zsh and fish read alike, whatever its texts hold.

The three differ in what a backslash does between single quotes: in fish `\\\\` and `\\'` are escapes, in the
others nothing is. So no escaped quotation mark, apostrophe or doubled backslash stands in the body: JSON has
a second way to write each, `\\u0022`, `\\u0027` and `\\u005c`.
"""

import re

from batchtui.exchange.json_text import escape_unsafe
from batchtui.model import Batch, Job
from batchtui.workers_ai.endpoint import CLOUDFLARE_BASE_URL, Endpoint
from batchtui.workers_ai.wire import encode_batch, encode_collect, encode_request

REQUEST_ID_TO_FILL_IN = "THE-REQUEST-ID-OF-THE-ANSWER"
# Linux takes no argument over 128 KiB; printf is built into all three shells and has no such limit.
LONGEST_ARGUMENT_BYTES = 100_000
_ACCOUNT = "CLOUDFLARE_ACCOUNT_ID"
_ESCAPE = re.compile(r"\\(.)|['!]", re.DOTALL)
_QUOTES = {'"': r"\u0022", "\\": r"\u005c", "'": r"\u0027", "!": r"\u0021"}


def write_curl(job: Job, batch: Batch, *, takes_batches: bool = True) -> str:
    """Commands that submit the batch and collect its result, or run each request by itself.

    The token and the account ID are read from $CLOUDFLARE_API_TOKEN and $CLOUDFLARE_ACCOUNT_ID when a command
    runs; off this machine the token goes over https alone. A job of the local backend is written for
    Cloudflare.
    Raises EndpointError where no safe URL can be made, and UnencodableText for a lone surrogate.
    """
    elsewhere = job.backend.startswith(("http://", "https://"))
    endpoint = Endpoint(job.backend if elsewhere else CLOUDFLARE_BASE_URL, _ACCOUNT)
    url = endpoint.run_url(batch.model, queue=takes_batches)
    url = url.replace(f"/accounts/{_ACCOUNT}/", f"/accounts/${_ACCOUNT}/")
    authorized = endpoint.loopback or endpoint.base_url.lower().startswith("https:")
    if not takes_batches:
        return "\n".join(
            _command(
                url,
                encode_request(request, truncate_inputs=batch.truncate_inputs, top_k=batch.top_k),
                authorized,
            )
            for request in batch.requests
        )
    known = job.request_id if job.request_id and job.backend != "local" else REQUEST_ID_TO_FILL_IN
    submit = _command(url, encode_batch(batch.requests, truncate_inputs=batch.truncate_inputs), authorized)
    return submit + "\n" + _command(url, encode_collect(known), authorized)


def quoted_json(body: bytes) -> str:
    """A JSON body between single quotes, as a word of bash, zsh and fish."""
    return "'" + escape_unsafe(_ESCAPE.sub(_replacement, body.decode("utf-8"))) + "'"


def _command(url: str, body: bytes, authorized: bool) -> str:
    word = quoted_json(body)
    lines = [f'curl "{url}"']
    if authorized:
        lines.append('  -H "Authorization: Bearer $CLOUDFLARE_API_TOKEN"')
    lines.append("  -H 'Content-Type: application/json'")
    if len(word.encode("utf-8")) <= LONGEST_ARGUMENT_BYTES:
        return " \\\n".join([*lines, f"  --data-raw {word}"]) + "\n"
    return f"printf '%s' {word} | " + " \\\n".join([*lines, "  --data-binary @-"]) + "\n"


def _replacement(match: re.Match[str]) -> str:
    character = match.group(1) or match.group()
    return _QUOTES.get(character, match.group())
