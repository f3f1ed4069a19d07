//! All services fit into one process: no two routes clash, no two metrics do, and each API answers.

use crate::environment::{Servers, environment};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use prometheus::Registry;
use shop_contract::service::ALL;
use shop_kit_config::Env;
use shop_single::all::{Apis, Schemas, Workers};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

#[tokio::test]
async fn every_api_answers_and_every_metric_is_told_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let env = Env::of(environment(&Servers::nobody(), folder.path()));
    let read = (Apis::read(&env), Workers::read(&env), Schemas::read(&env));
    let (Some(apis), Some(workers), Some(_)) = read else {
        panic!("the operator's environment is enough: {:?}", env.finish::<()>(None));
    };
    let (registry, stop) = (Registry::new(), CancellationToken::new());
    let router = apis.start(&registry, &stop).await.expect("all APIs start");
    for service in ALL {
        let path = format!("{}/openapi.json", service.routes[0]);
        let request = Request::get(&path).body(Body::empty()).expect("a request");
        let answer = router.clone().oneshot(request).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
    stop.cancel();
    workers
        .run(&registry, &stop)
        .await
        .expect("workers that are told to stop end well");
}
