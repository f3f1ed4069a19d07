"""A mail server for tests. Keeps each mail as a file in the folder it is given; ends when its input closes.

What it answers depends on the recipient: `refused@` never, `later@` not now, `stuck@` takes the mail and does not say so.
"""

import asyncio
import pathlib
import sys
import uuid

from aiosmtpd.smtp import SMTP

folder, port = pathlib.Path(sys.argv[1]), int(sys.argv[2])


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
        (folder / (name + ".part")).write_bytes(head.encode() + envelope.content)
        (folder / (name + ".part")).rename(folder / (name + ".mail"))
        if envelope.rcpt_tos[0].startswith("stuck@"):
            await asyncio.sleep(3600)
        return "250 OK"


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Keep(), loop=loop), "127.0.0.1", port)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
