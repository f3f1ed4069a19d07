//! Access tokens that hold and tokens that do not, and the keys that check them.

use crate::shop::{OTHER_SEED, SEED, Shop, ask, claims, text};
use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use shop_kit_token::{Claims, Signer};
use uuid::Uuid;

async fn me(app: &Router, token: &str) -> u16 {
    ask("GET", "/api/v1/users/me").token(token).of(app).await.status
}

#[tokio::test]
async fn a_token_that_does_not_hold_is_refused() {
    let shop = Shop::start().await;
    let (user, session) = shop.customer("ada@example.com").await;
    let good = text(&session["access_token"]);
    assert_eq!(me(&shop.app, &good).await, 200);
    let (head, signature) = good.rsplit_once('.').unwrap();
    let (_, payload) = head.split_once('.').unwrap();
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    let admin = URL_SAFE_NO_PAD.encode(
        serde_json::to_string(&claims(user))
            .unwrap()
            .replace("customer", "admin"),
    );
    let signer = Signer::from_seed(SEED).unwrap();
    let now = claims(user).iat;
    let old = Claims::new(user, false, now - 901);
    let foreign = Signer::from_seed(OTHER_SEED).unwrap().sign(&claims(user));
    let (header, _) = good.split_once('.').unwrap();
    for (why, token) in [
        ("empty", String::new()),
        ("no token", "a.b.c".to_owned()),
        ("unsigned", format!("{head}.")),
        ("algorithm none", format!("{none}.{payload}.")),
        ("algorithm none, signed", format!("{none}.{payload}.{signature}")),
        ("other claims", format!("{header}.{admin}.{signature}")),
        ("expired", signer.sign(&old)),
        ("another key", foreign),
        (
            "another audience",
            signer.sign(&Claims {
                aud: "them".to_owned(),
                ..claims(user)
            }),
        ),
        ("a refresh token", text(&session["refresh_token"])),
        ("long", "a".repeat(4000)),
    ] {
        assert_eq!(me(&shop.app, &token).await, 401, "{why}");
    }
    for header in ["", "Bearer", "Basic YTpi", &format!("Token {good}")] {
        let request = ask("GET", "/api/v1/users/me").header("authorization", header);
        let answer = request.of(&shop.app).await;
        assert_eq!(
            (answer.status, &answer.headers["www-authenticate"]),
            (401, &"Bearer".parse().unwrap()),
            "{header}"
        );
    }
}

#[tokio::test]
async fn a_token_of_nobody_finds_nothing() {
    let shop = Shop::start().await;
    let token = Signer::from_seed(SEED).unwrap().sign(&claims(Uuid::now_v7()));
    assert_eq!(me(&shop.app, &token).await, 404);
}

#[tokio::test]
async fn keys_are_published_and_turned_without_logging_anyone_out() {
    let shop = Shop::start().await;
    let (_, session) = shop.customer("ada@example.com").await;
    let old = text(&session["access_token"]);
    let keys = async |app: &Router| {
        let answer = ask("GET", "/.well-known/jwks.json").of(app).await;
        assert_eq!(answer.headers["cache-control"], "public, max-age=300");
        answer.body["keys"].as_array().unwrap().clone()
    };
    let before = keys(&shop.app).await;
    assert_eq!(
        (before.len(), &before[0]["crv"], &before[0]["alg"]),
        (1, &json!("Ed25519"), &json!("EdDSA"))
    );

    let announced = shop.with_seeds(&format!("{SEED},{OTHER_SEED}"));
    let turned = shop.with_seeds(&format!("{OTHER_SEED},{SEED}"));
    let body = json!({"refresh_token": session["refresh_token"]});
    let renewed = ask("POST", "/api/v1/sessions/refresh").json(body).of(&turned).await;
    assert_eq!(renewed.status, 200, "{renewed:?}");
    let new = text(&renewed.body["access_token"]);
    // Pods of both sides of the change run at the same time.
    for app in [&announced, &turned] {
        assert_eq!(keys(app).await.len(), 2);
        assert_eq!((me(app, &old).await, me(app, &new).await), (200, 200));
    }
    let header = URL_SAFE_NO_PAD.decode(new.split('.').next().unwrap()).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header["kid"], keys(&turned).await[0]["kid"]);
    let last = shop.with_seeds(OTHER_SEED);
    assert_eq!((me(&last, &old).await, me(&last, &new).await), (401, 200));
}
