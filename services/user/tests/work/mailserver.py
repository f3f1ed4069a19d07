"""A mail server for tests. Keeps each mail as a file in the folder it is given; ends when its input closes.

What it answers depends on the recipient: `refused@` never, `later@` not now, `stuck@` takes the mail and does not say so.
Third argument: `none`, `starttls` or `tls`; the last two use server.crt and server.key of the folder. Fourth: the
password of the user `shop`, which is read anew at each log-in from a file of this name in the folder; nobody has to log
in without it.
"""

import asyncio
import logging
import pathlib
import ssl
import sys
import uuid

from aiosmtpd.smtp import SMTP, AuthResult

# It warns of passwords inside an encryption it did not begin itself.
logging.disable(logging.WARNING)
folder, port, tls = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
password = folder / sys.argv[4] if len(sys.argv) > 4 else None


class Keep:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused@"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("later@"):
            return "451 4.7.1 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        name = str(uuid.uuid4())
        head = "X-Envelope-To: " + ",".join(envelope.rcpt_tos) + "\r\n"
        encrypted = server.transport.get_extra_info("ssl_object") is not None
        head += "X-Encrypted: " + ("yes" if encrypted else "no") + "\r\n"
        head += "X-User: " + (session.auth_data or b"-").decode() + "\r\n"
        (folder / (name + ".part")).write_bytes(head.encode() + envelope.content)
        (folder / (name + ".part")).rename(folder / (name + ".mail"))
        if envelope.rcpt_tos[0].startswith("stuck@"):
            await asyncio.sleep(3600)
        return "250 OK"


def may(server, session, envelope, mechanism, data):
    known = data.login == b"shop" and data.password == password.read_bytes()
    return AuthResult(success=known, handled=False, auth_data=data.login)


def protocol(context):
    options = {}
    if tls == "starttls":
        options.update(tls_context=context, require_starttls=True)
    if password:
        options.update(authenticator=may, auth_required=True, auth_require_tls=tls == "starttls")
    return SMTP(Keep(), loop=asyncio.get_running_loop(), **options)


async def main():
    loop, context = asyncio.get_running_loop(), None
    if tls != "none":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(folder / "server.crt", folder / "server.key")
    outer = context if tls == "tls" else None
    server = await loop.create_server(lambda: protocol(context), "127.0.0.1", port, ssl=outer)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
