//! Mail: what it says (`words`), how it becomes a message (`message`), how the server takes it (`smtp`), and the loop
//! that sends what waits (`sender`). Nothing here decides who gets a mail: that is the job of `job::email`.

mod message;
mod metrics;
mod sender;
mod settings;
mod smtp;
mod words;

pub use metrics::MailMetrics;
pub use sender::{Sender, send_due};
pub use settings::{MailServer, MailSettings, Tls};
pub use smtp::Smtp;
pub use words::Facts;
