//! A real SMTP server as a child process; it ends with the value, also when the test is killed, because its input
//! closes then.

use lettre::message::Mailbox;
use lettre::transport::smtp::client::Certificate;
use shop_kit_config::Secret;
use shop_user::mail::{MailServer, MailSettings, Smtp, Tls};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Debian's own, where python3-aiosmtpd lies.
const PYTHON: &str = "/usr/bin/python3";
const PASSWORD: &str = "password";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/work/mailserver.py");

pub struct TestMail {
    folder: TempDir,
    pub port: u16,
    door: Door,
    server: Option<Child>,
}

/// How the server is entered.
#[derive(Clone, Copy)]
pub struct Door {
    pub tls: Tls,
    /// What the user `shop` has to say.
    pub password: Option<&'static str>,
}

impl TestMail {
    pub fn start() -> Self {
        Self::behind(Door {
            tls: Tls::None,
            password: None,
        })
    }

    pub fn behind(door: Door) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if door.tls != Tls::None {
            certify(folder.path());
        }
        if let Some(password) = door.password {
            std::fs::write(folder.path().join(PASSWORD), password).unwrap();
        }
        let (server, port) = serve(folder.path(), 0, door);
        Self {
            folder,
            port,
            door,
            server: Some(server),
        }
    }

    /// Nothing listens any more.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    /// At the same address again.
    pub fn restart(&mut self) {
        self.stop();
        self.server = Some(serve(self.folder.path(), self.port, self.door).0);
    }

    /// What it has taken so far.
    pub fn mails(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let mails = files.filter(|path| path.extension().is_some_and(|end| end == "mail"));
        mails.map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }

    pub fn settings(&self) -> MailSettings {
        MailSettings {
            shop: "Tea".to_owned(),
            server: Some(MailServer {
                host: "127.0.0.1".to_owned(),
                port: self.port,
                tls: self.door.tls,
                login: self
                    .door
                    .password
                    .map(|password| ("shop".to_owned(), Secret::new(password))),
                authority: self.authority(),
                from: "Tea <shop@tea.example>".parse::<Mailbox>().unwrap(),
            }),
        }
    }

    fn authority(&self) -> Option<Certificate> {
        let pem = std::fs::read(self.folder.path().join("ca.crt")).ok()?;
        Some(Certificate::from_pem(&pem).unwrap())
    }

    pub fn smtp(&self) -> Smtp {
        Smtp::new("Tea", self.settings().server.as_ref().unwrap()).unwrap()
    }
}

impl Drop for TestMail {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The value of a header, which may go on in further lines.
pub fn header(mail: &str, name: &str) -> String {
    let begin = format!("{name}: ");
    let mut lines = mail.lines().skip_while(|line| !line.starts_with(&begin));
    let first = lines.next().unwrap_or_default().trim_start_matches(&begin).to_owned();
    let rest = lines.take_while(|line| line.starts_with(' '));
    rest.fold(first, |text, line| text + line.trim_end())
}

/// An authority, and what it says of 127.0.0.1.
fn certify(folder: &Path) {
    let new = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "1",
    ];
    let authority = [
        "-keyout",
        "ca.key",
        "-out",
        "ca.crt",
        "-subj",
        "/CN=Authority of a test",
    ];
    let server = [
        "-keyout",
        "server.key",
        "-out",
        "server.crt",
        "-subj",
        "/CN=mail",
        "-CA",
        "ca.crt",
        "-CAkey",
        "ca.key",
    ];
    let of_it = [
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ];
    for arguments in [[&new[..], &authority].concat(), [&new[..], &server, &of_it].concat()] {
        let made = Command::new("openssl")
            .args(arguments)
            .current_dir(folder)
            .output()
            .expect("openssl");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}

fn serve(folder: &Path, port: u16, door: Door) -> (Child, u16) {
    let tls = match door.tls {
        Tls::None => "none",
        Tls::StartTls => "starttls",
        Tls::Tls => "tls",
    };
    let mut server = Command::new(PYTHON)
        .args([
            "-W",
            "ignore",
            SCRIPT,
            &folder.display().to_string(),
            &port.to_string(),
            tls,
        ])
        .args(door.password.map(|_| PASSWORD))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 of Debian");
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let port = line.trim().parse();
    (
        server,
        port.expect("the mail server starts: is the Debian package python3-aiosmtpd installed?"),
    )
}
