//! Mail servers that encrypt and want to know who comes, and what becomes of mails they let nobody in for.

use crate::mails::{SENT, keep, metrics};
use crate::mailserver::{Door, TestMail, header};
use crate::place::Place;
use shop_kit_config::Secret;
use shop_user::mail::{MailServer, Smtp, Tls, send_due};

const UNTRIED: &str = "select count(*) from user_mails where state = 'waiting' and attempts = 0";
const DUE_NOW: &str = "update user_mails set due_at = now()";

fn door(tls: Tls) -> Door {
    Door {
        tls,
        password: Some("correct horse"),
    }
}

/// The same server, called in another way.
fn called(mail: &TestMail, change: impl FnOnce(&mut MailServer)) -> Smtp {
    let mut server = mail.settings().server.unwrap();
    change(&mut server);
    Smtp::new("Tea", &server).unwrap()
}

#[tokio::test]
async fn mails_go_encrypted_and_under_a_name() {
    for tls in [Tls::StartTls, Tls::Tls] {
        let (place, mail) = (Place::start().await, TestMail::behind(door(tls)));
        keep(&place, "ada@example.com", 20).await;
        send_due(&place.pool(0), &mail.smtp(), &metrics()).await.unwrap();
        assert_eq!(place.count(0, SENT).await, 20, "{tls:?}");
        let mails = mail.mails();
        assert_eq!(mails.len(), 20);
        for mail in mails {
            assert_eq!(
                (header(&mail, "X-Encrypted").as_str(), header(&mail, "X-User").as_str()),
                ("yes", "shop")
            );
        }
    }
}

#[tokio::test]
async fn with_a_wrong_password_no_mail_is_lost_or_gives_up() {
    for tls in [Tls::StartTls, Tls::Tls] {
        let (place, mail) = (Place::start().await, TestMail::behind(door(tls)));
        keep(&place, "ada@example.com", 40).await;
        let wrong = called(&mail, |server| {
            server.login = Some(("shop".to_owned(), Secret::new("battery")))
        });
        let nobody = called(&mail, |server| server.login = None);
        for smtp in [wrong, nobody] {
            for _ in 0..3 {
                send_due(&place.pool(0), &smtp, &metrics()).await.unwrap();
                place.execute(0, DUE_NOW).await;
            }
            assert_eq!((place.count(0, UNTRIED).await, mail.mails().len()), (40, 0), "{tls:?}");
        }
        let told = "select count(*) from user_mails where detail like '%does not let nobody in, look at the Secret%'";
        assert!(place.count(0, told).await > 0, "{tls:?}");
        while send_due(&place.pool(0), &mail.smtp(), &metrics()).await.unwrap() {}
        assert_eq!((place.count(0, SENT).await, mail.mails().len()), (40, 40), "{tls:?}");
    }
}

#[tokio::test]
async fn why_nobody_is_let_in_is_told_with_the_name_but_not_the_password() {
    let (place, mail) = (Place::start().await, TestMail::behind(door(Tls::StartTls)));
    keep(&place, "ada@example.com", 1).await;
    let wrong = called(&mail, |server| {
        server.login = Some(("shop".to_owned(), Secret::new("battery")))
    });
    send_due(&place.pool(0), &wrong, &metrics()).await.unwrap();
    let told = "select count(*) from user_mails where detail like '%does not let user `shop` in%535%' \
                and detail not like '%battery%'";
    assert_eq!(place.count(0, told).await, 1);
}

#[tokio::test]
async fn a_server_nobody_vouches_for_gets_neither_password_nor_mail() {
    for tls in [Tls::StartTls, Tls::Tls] {
        let (place, mail) = (Place::start().await, TestMail::behind(door(tls)));
        keep(&place, "ada@example.com", 1).await;
        let stranger = called(&mail, |server| server.authority = None);
        send_due(&place.pool(0), &stranger, &metrics()).await.unwrap();
        let told = "select count(*) from user_mails where state = 'waiting' and attempts = 0 \
                    and detail ilike '%certificate%'";
        assert_eq!((place.count(0, told).await, mail.mails().len()), (1, 0), "{tls:?}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_encrypt_gets_nothing_in_clear() {
    let (place, mail) = (Place::start().await, TestMail::start());
    keep(&place, "ada@example.com", 1).await;
    let careful = called(&mail, |server| server.tls = Tls::StartTls);
    send_due(&place.pool(0), &careful, &metrics()).await.unwrap();
    assert_eq!((place.count(0, UNTRIED).await, mail.mails().len()), (1, 0));
}
