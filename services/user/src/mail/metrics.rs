//! What became of mails.

use prometheus::{IntCounterVec, Opts, Registry};

#[derive(Clone)]
pub struct MailMetrics(IntCounterVec);

impl MailMetrics {
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        let help = "Mails by what became of them: sent, put off, refused for good, kept because no server is set, or too old when one was";
        let mails = IntCounterVec::new(Opts::new("shop_mails_total", help), &["outcome"])?;
        registry.register(Box::new(mails.clone()))?;
        Ok(Self(mails))
    }

    pub fn sent(&self) {
        self.count("sent", 1);
    }

    pub fn put_off(&self) {
        self.count("put_off", 1);
    }

    pub fn failed(&self) {
        self.count("failed", 1);
    }

    pub fn unsent(&self, mails: u64) {
        self.count("unsent", mails);
    }

    pub fn expired(&self, mails: u64) {
        self.count("expired", mails);
    }

    fn count(&self, outcome: &str, mails: u64) {
        self.0.with_label_values(&[outcome]).inc_by(mails);
    }
}
