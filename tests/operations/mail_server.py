"""A mail server for a test: takes mail from whoever knows the password, by TLS as it was told, and says what it took.

    mail_server.py tls|starttls|none CERTIFICATE KEY

Each line it writes is a JSON object: the port, then each message. What a mailbox is called says what becomes of it.
"""

import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

PASSWORD = b"a password"


def say(**what):
    print(json.dumps(what), flush=True)


def authenticated(server, session, envelope, mechanism, data):
    right = (data.login, data.password) == (b"candado", PASSWORD)
    # Not handled here is answered by the library: 535.
    return AuthResult(success=right, handled=right)


class Mailboxes:
    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):
        refusals = {"nobody": "550 5.1.1 No such user here", "later": "451 4.7.1 Come again later"}
        refusal = refusals.get(address.split("@")[0])
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mailbox = envelope.rcpt_tos[0].split("@")[0]
        say(
            to=envelope.rcpt_tos,
            sender=envelope.mail_from,
            content=envelope.content.decode(),
            tls=server.transport.get_extra_info("sslcontext") is not None,
            greeted_as=session.host_name,
        )
        if mailbox == "slow":
            await asyncio.sleep(10)
        if mailbox == "lost":
            server.transport.abort()
        return "552 5.2.2 Mailbox full" if mailbox == "full" else "250 OK"


async def main(mode, certificate, key):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    def connection():
        starttls = {"tls_context": context, "require_starttls": True} if mode == "starttls" else {}
        return SMTP(
            Mailboxes(),
            authenticator=authenticated,
            auth_required=True,
            # By TLS from the start there is nothing left to ask for.
            auth_require_tls=mode == "starttls",
            **starttls,
        )

    implicit = {"ssl": context} if mode == "tls" else {}
    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0, **implicit)
    say(port=server.sockets[0].getsockname()[1])
    await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
