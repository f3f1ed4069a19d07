//! Every route × every role: who is let in, who is not. The routes come from the service's own description, so none can
//! be forgotten. A route that lets a role in answers whatever it answers to a request without a body, but not 401 or 403.

use crate::shop::{Shop, ask};
use shop_contract::api::Role;
use std::collections::BTreeMap;

const EVERYBODY: &[Role] = &Role::ALL;

/// Who may call what besides those without a token; `None` is a route that asks for none.
fn allowed() -> BTreeMap<(&'static str, &'static str), Option<&'static [Role]>> {
    let me = "/api/v1/users/me";
    BTreeMap::from([
        (("POST", "/api/v1/users"), None),
        (("GET", me), Some(EVERYBODY)),
        (("PATCH", me), Some(EVERYBODY)),
        (("DELETE", me), Some(EVERYBODY)),
        (("PUT", "/api/v1/users/me/password"), Some(EVERYBODY)),
        (("GET", "/api/v1/users/me/addresses"), Some(EVERYBODY)),
        (("POST", "/api/v1/users/me/addresses"), Some(EVERYBODY)),
        (("GET", "/api/v1/users/me/addresses/{id}"), Some(EVERYBODY)),
        (("PUT", "/api/v1/users/me/addresses/{id}"), Some(EVERYBODY)),
        (("DELETE", "/api/v1/users/me/addresses/{id}"), Some(EVERYBODY)),
        (("GET", "/api/v1/users/{id}"), Some(&[Role::Support, Role::Admin])),
        (("PUT", "/api/v1/users/{id}/role"), Some(&[Role::Admin])),
        (("POST", "/api/v1/sessions"), None),
        (("GET", "/api/v1/sessions"), Some(EVERYBODY)),
        (("DELETE", "/api/v1/sessions"), Some(EVERYBODY)),
        (("POST", "/api/v1/sessions/refresh"), None),
        (("DELETE", "/api/v1/sessions/current"), Some(EVERYBODY)),
        (("DELETE", "/api/v1/sessions/{id}"), Some(EVERYBODY)),
        (("GET", "/.well-known/jwks.json"), None),
        (("GET", "/api/v1/notifications"), Some(EVERYBODY)),
        (("PUT", "/api/v1/notifications/read"), Some(EVERYBODY)),
        (("PUT", "/api/v1/notifications/{id}/read"), Some(EVERYBODY)),
        (("GET", "/api/v1/users/me/webhook"), Some(EVERYBODY)),
        (("PUT", "/api/v1/users/me/webhook"), Some(EVERYBODY)),
        (("DELETE", "/api/v1/users/me/webhook"), Some(EVERYBODY)),
    ])
}

#[tokio::test]
async fn every_route_lets_in_its_roles_and_nobody_else() {
    let shop = Shop::start().await;
    let mut allowed = allowed();
    let mut tokens = Vec::new();
    for role in Role::ALL {
        tokens.push((role, shop.token_of(role).await.1));
    }
    let document = shop_user::router::document();
    for operation in document.operations() {
        let key = (operation.method, operation.path.as_str());
        let roles = allowed.remove(&key);
        let roles = roles.unwrap_or_else(|| panic!("{key:?} is in no row of this test"));
        assert_eq!(operation.secured, roles.is_some(), "{key:?}");
        let path = operation.path.replace("{id}", &uuid::Uuid::now_v7().to_string());
        let body = serde_json::json!({"role": "customer"});
        let send = async |token: Option<&str>| {
            let request = ask(operation.method, &path).json(body.clone());
            let request = token.into_iter().fold(request, |request, token| request.token(token));
            request.of(&shop.app).await
        };
        let anonymous = send(None).await;
        match roles {
            None => assert!(
                anonymous.status != 403 && anonymous.kind() != "unauthorized",
                "{key:?}: {anonymous:?}"
            ),
            Some(_) => assert_eq!(anonymous.status, 401, "{key:?}"),
        }
        for (role, token) in &tokens {
            let answer = send(Some(token)).await;
            let let_in = roles.is_none_or(|roles| roles.contains(role));
            let refused = (answer.status, answer.kind()) == (403, "role");
            assert_eq!(refused, !let_in, "{key:?} as {role:?}: {answer:?}");
            assert!(
                answer.status != 401 && answer.status < 500,
                "{key:?} as {role:?}: {answer:?}"
            );
        }
    }
    assert!(allowed.is_empty(), "no such routes: {allowed:?}");
}
