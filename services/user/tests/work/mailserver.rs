//! A real SMTP server as a child process; it ends with the value, also when the test is killed, because its input
//! closes then.

use lettre::message::Mailbox;
use shop_user::mail::{MailServer, MailSettings, Smtp, Tls};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Debian's own, where python3-aiosmtpd lies.
const PYTHON: &str = "/usr/bin/python3";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/work/mailserver.py");

pub struct TestMail {
    folder: TempDir,
    pub port: u16,
    server: Option<Child>,
}

impl TestMail {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (server, port) = serve(folder.path(), 0);
        Self {
            folder,
            port,
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
        self.server = Some(serve(self.folder.path(), self.port).0);
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
                tls: Tls::None,
                login: None,
                from: "Tea <shop@tea.example>".parse::<Mailbox>().unwrap(),
            }),
        }
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

fn serve(folder: &Path, port: u16) -> (Child, u16) {
    let mut server = Command::new(PYTHON)
        .args([SCRIPT, &folder.display().to_string(), &port.to_string()])
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
