#!/usr/bin/env bash
# lettre sends a mail to nobody if the server refuses one of its recipients.
#
# Versions: lettre 0.11.23, Rust 1.95; Python 3.11's smtplib beside it.
#
# What happens: a mail has two recipients, and the server answers 550 to the first, as for somebody who has left.
# `SmtpTransport::send` then returns that error: it never names the second to the server, so nobody gets the mail. The error names
# neither the refused recipient nor those left out.
#
# What was expected: what SMTP has one answer per recipient for (RFC 5321, 3.3), and what `smtplib.sendmail` and sendmail do: the
# mail goes to the recipients that the server accepts, and the caller learns which were refused. With lettre a team gets no alerts
# at all once one of its members leaves.
#
# Seen on 2026-11-29:
#
#   lettre: the mail is to ["gone@example.org", "here@example.org"]
#   lettre: Err, permanent: true, names gone@: false
#   the server got: MAIL RCPT gone@ QUIT; 0 mails
#   smtplib: refused ['gone@example.org']
#   the server got: MAIL RCPT gone@ RCPT here@ DATA QUIT; 1 mails
#
# It needs cargo with the crate registry, and Python 3. It exits with 1 once the behavior has changed.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "$(jobs -p)" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"

cat >server.py <<'PYTHON'
import re, socket, sys

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
for _ in range(2):
    connection, _ = listener.accept()
    lines, said, mails = connection.makefile("rwb"), [], 0

    def answer(text):
        lines.write(text.encode() + b"\r\n")
        lines.flush()

    answer("220 here")
    while command := lines.readline().decode().strip():
        word = command.split(":")[0].split()[0].upper()
        if word in ("MAIL", "RCPT", "DATA", "QUIT"):
            who = re.search(r"<(\w+@)", command)
            said.append(f"RCPT {who[1]}" if word == "RCPT" else word)
        if word == "RCPT" and "gone@" in command:
            answer("550 no such user")
        elif word == "DATA":
            answer("354 go on")
            while lines.readline() != b".\r\n":
                pass
            mails += 1
            answer("250 taken")
        else:
            answer("221 bye" if word == "QUIT" else "250 fine")
        if word == "QUIT":
            break
    connection.close()
    print(f"the server got: {' '.join(said)}; {mails} mails", flush=True)
PYTHON
python3 server.py >server.log &
until [ -s server.log ]; do sleep 0.1; done
port=$(head -1 server.log)

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "refused"
version = "0.0.0"
edition = "2021"
[dependencies]
lettre = { version = "=0.11.23", default-features = false, features = ["builder", "hostname", "smtp-transport"] }
TOML
cat >src/main.rs <<'RUST'
use lettre::message::Message;
use lettre::transport::smtp::SmtpTransport;
use lettre::Transport;

fn main() {
    let port = std::env::args().nth(1).unwrap().parse().unwrap();
    let mail = Message::builder().from("pipelines@example.org".parse().unwrap()).subject("The load failed");
    let mail = mail.to("gone@example.org".parse().unwrap()).to("here@example.org".parse().unwrap());
    let mail = mail.body("disk full".to_owned()).unwrap();
    println!("lettre: the mail is to {:?}", mail.envelope().to().iter().map(ToString::to_string).collect::<Vec<_>>());
    match SmtpTransport::builder_dangerous("127.0.0.1").port(port).build().send(&mail) {
        Ok(_) => println!("lettre: Ok"),
        Err(error) => {
            println!("lettre: Err, permanent: {}, names gone@: {}", error.is_permanent(), error.to_string().contains("gone@"));
        }
    }
}
RUST
cargo run --quiet -- "$port" >seen
cat >ask.py <<'PYTHON'
import smtplib, sys

with smtplib.SMTP("127.0.0.1", int(sys.argv[1])) as server:
    refused = server.sendmail("pipelines@example.org", ["gone@example.org", "here@example.org"], "Subject: The load failed\n\ndisk full\n")
    print("smtplib: refused", sorted(refused))
PYTHON
until [ "$(grep -c '^the server' server.log)" -ge 1 ]; do sleep 0.1; done
sed -n 2p server.log >>seen
python3 ask.py "$port" >>seen
wait
sed -n 3p server.log >>seen

cat >expected <<'TEXT'
lettre: the mail is to ["gone@example.org", "here@example.org"]
lettre: Err, permanent: true, names gone@: false
the server got: MAIL RCPT gone@ QUIT; 0 mails
smtplib: refused ['gone@example.org']
the server got: MAIL RCPT gone@ RCPT here@ DATA QUIT; 1 mails
TEXT
cat seen
diff expected seen
