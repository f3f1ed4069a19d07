//! What an owner does with an account, and what an admin does.

use crate::shop::{PASSWORD, Shop, ask, id_of, text};
use serde_json::json;
use shop_contract::api::Role;
use shop_user::{grant, store};

#[tokio::test]
async fn a_name_is_changed() {
    let shop = Shop::start().await;
    let (_, session) = shop.customer("ada@example.com").await;
    let token = text(&session["access_token"]);
    let edited = ask("PATCH", "/api/v1/users/me")
        .token(&token)
        .json(json!({"name": " Ada Lovelace "}));
    let edited = edited.of(&shop.app).await;
    assert_eq!(
        (edited.status, &edited.body["name"]),
        (200, &json!("Ada Lovelace")),
        "{edited:?}"
    );
    assert_eq!(shop.me(&token).await.body, edited.body);
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions() {
    let shop = Shop::start().await;
    let (_, session) = shop.customer("ada@example.com").await;
    let elsewhere = shop.log_in("ada@example.com", PASSWORD).await.body;
    let change = async |current: &str, new: &str| {
        let body = json!({"current_password": current, "new_password": new});
        let request = ask("PUT", "/api/v1/users/me/password").token(session["access_token"].as_str().unwrap());
        request.json(body).of(&shop.app).await
    };
    let wrong = change("wrong horse", "battery staple").await;
    assert_eq!((wrong.status, wrong.pointers()), (422, vec!["/current_password"]));
    let short = change(PASSWORD, "short").await;
    assert_eq!((short.status, short.pointers()), (422, vec!["/new_password"]));
    assert_eq!(change(PASSWORD, "battery staple").await.status, 204);
    assert_eq!(shop.log_in("ada@example.com", PASSWORD).await.status, 401);
    assert_eq!(shop.log_in("ada@example.com", "battery staple").await.status, 200);
    assert_eq!(shop.refresh(&elsewhere["refresh_token"]).await.status, 401);
    assert_eq!(shop.refresh(&session["refresh_token"]).await.status, 200);
}

#[tokio::test]
async fn a_deleted_account_names_nobody_and_its_address_is_free() {
    let shop = Shop::start().await;
    let (user, session) = shop.customer("ada@example.com").await;
    let token = text(&session["access_token"]);
    let address =
        json!({"recipient": "Ada", "line1": "Street 1", "city": "Berlin", "postal_code": "10115", "country": "DE"});
    let added = ask("POST", "/api/v1/users/me/addresses")
        .token(&token)
        .header("idempotency-key", "k");
    assert_eq!(added.json(address.clone()).of(&shop.app).await.status, 201);
    let delete = async || {
        ask("DELETE", "/api/v1/users/me")
            .token(&token)
            .of(&shop.app)
            .await
            .status
    };
    assert_eq!(delete().await, 204);
    assert_eq!(delete().await, 404);

    assert_eq!(shop.log_in("ada@example.com", PASSWORD).await.status, 401);
    assert_eq!(shop.refresh(&session["refresh_token"]).await.status, 401);
    assert_eq!(shop.me(&token).await.status, 404);
    let add = ask("POST", "/api/v1/users/me/addresses").token(&token).json(address);
    assert_eq!(add.of(&shop.app).await.status, 404);
    for left in [
        "select count(*) from users where id = $1 and (name <> 'deleted' or email like 'ada%' or password_hash <> '-')",
        "select count(*) from user_addresses where user_id = $1",
        "select count(*) from user_sessions where user_id = $1",
        "select count(*) from user_idempotency where owner = $1",
        "select count(*) from user_removed_emails where user_id = $1",
    ] {
        assert_eq!(shop.count(user, left).await, 0, "{left}");
    }
    assert_eq!(shop.shards_of(user).await.len(), 1);
    let again = shop.register("ada@example.com").await;
    assert_eq!(again.status, 201, "{again:?}");
    assert_ne!(id_of(&again.body), user);
}

#[tokio::test]
async fn a_deletion_is_finished_by_the_sweep_when_the_directory_s_shard_was_lost() {
    let shop = Shop::start().await;
    let email = shop.two.email_in(1);
    let made = loop {
        let made = shop.register(&email).await;
        if shop.pools.of_user(id_of(&made.body)).unwrap().index == 0 {
            break id_of(&made.body);
        }
        assert!(store::removal::anonymise(&shop.pools, id_of(&made.body)).await.unwrap());
    };
    let lost = shop.two.open_without(1).await.unwrap();
    assert!(store::removal::anonymise(&lost, made).await.unwrap());
    let noted = "select count(*) from user_removed_emails where user_id = $1";
    assert_eq!(shop.count(made, noted).await, 1);
    assert_eq!(shop.register(&email).await.status, 409);
    let pool = shop.pools.get(0).unwrap().pool;
    store::sweep::sweep(&shop.pools, &pool).await.unwrap();
    assert_eq!(shop.count(made, noted).await, 0);
    assert_eq!(shop.register(&email).await.status, 201);
}

#[tokio::test]
async fn an_admin_sets_roles_but_not_the_own_one() {
    let shop = Shop::start().await;
    let (admin, token) = shop.token_of(Role::Admin).await;
    let (user, _) = shop.customer("ada@example.com").await;
    let set = async |id: uuid::Uuid, role: &str| {
        let request = ask("PUT", &format!("/api/v1/users/{id}/role")).token(&token);
        request.json(json!({"role": role})).of(&shop.app).await
    };
    let done = set(user, "merchant").await;
    assert_eq!((done.status, &done.body["role"]), (200, &json!("merchant")), "{done:?}");
    assert_eq!(set(admin, "customer").await.status, 409);
    assert_eq!(set(uuid::Uuid::now_v7(), "support").await.status, 404);
}

#[tokio::test]
async fn the_first_admin_is_made_from_outside() {
    let shop = Shop::start().await;
    let (user, first) = shop.customer("ada@example.com").await;
    grant::grant(&shop.pools, "Ada@example.com", Role::Admin).await.unwrap();
    let second = shop.refresh(&first["refresh_token"]).await.body;
    let me = shop.me(&text(&second["access_token"])).await;
    assert_eq!((id_of(&me.body), &me.body["role"]), (user, &json!("admin")));
    for unknown in ["bob@example.com", "no address"] {
        assert!(grant::grant(&shop.pools, unknown, Role::Admin).await.is_err());
    }
}
