//! `ensure_database` against a real Postgres: makes, repairs, and writes nothing when nothing differs.

// Test code may stop at the first surprise; clippy counts only the tests themselves as such, not what they call.
#![allow(clippy::unwrap_used)]

use shop_drivers::postgres::{Database, Login, PostgresError, connect, ensure_database};
use shop_drivers::{Class, Report};
use shop_kit_testbed::Postgres;
use sqlx::{AssertSqlSafe, Connection};

async fn superuser() -> Login {
    let server = Postgres::shared().await.unwrap();
    Login {
        host: server.host().to_owned(),
        port: server.port(),
        user: server.superuser().to_owned(),
        password: server.password().to_owned(),
        database: "postgres".to_owned(),
    }
}

/// Each test has names of its own; the odd letters have to survive quoting.
fn wanted(name: &str) -> Database {
    Database {
        role: format!("{name} \"ro'le"),
        role_password: "pass'word\\ \"1".to_owned(),
        database: format!("{name} \"d'b"),
        max_connections: 7,
    }
}

fn as_role(login: &Login, database: &Database) -> Login {
    Login {
        user: database.role.clone(),
        password: database.role_password.clone(),
        database: database.database.clone(),
        ..login.clone()
    }
}

async fn run(login: &Login, statement: String) {
    let mut connection = connect(login).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn makes_role_and_database_and_then_nothing_more() {
    let (login, database) = (superuser().await, wanted("new"));
    let first = ensure_database(&login, &database).await.unwrap();
    assert!(first.changed, "{first:?}");
    assert_eq!(ensure_database(&login, &database).await.unwrap(), Report::default());
    let mut own = connect(&as_role(&login, &database)).await.unwrap();
    sqlx::raw_sql("create table things (id int); insert into things values (1)")
        .execute(&mut own)
        .await
        .unwrap();
    let stored: String = {
        let mut connection = connect(&login).await.unwrap();
        let query = sqlx::query_scalar("select rolpassword from pg_authid where rolname = $1");
        query.bind(&database.role).fetch_one(&mut connection).await.unwrap()
    };
    assert!(stored.starts_with("SCRAM-SHA-256$"), "{stored}");
}

#[tokio::test]
async fn others_may_not_connect() {
    let (login, mine, other) = (superuser().await, wanted("mine"), wanted("other"));
    ensure_database(&login, &mine).await.unwrap();
    ensure_database(&login, &other).await.unwrap();
    let stranger = Login {
        database: mine.database.clone(),
        ..as_role(&login, &other)
    };
    let refused = connect(&stranger).await.unwrap_err();
    assert!(
        matches!(&refused, PostgresError::Refused { code, .. } if code == "42501"),
        "{refused}"
    );
}

#[tokio::test]
async fn repairs_just_what_somebody_changed() {
    let (login, database) = (superuser().await, wanted("repair"));
    ensure_database(&login, &database).await.unwrap();
    let role = r#""repair ""ro'le""#;
    for (change, repair) in [
        (
            format!("alter role {role} createdb connection limit 99"),
            "corrected the role's rights",
        ),
        (format!("alter role {role} nologin"), "corrected the role's rights"),
        (
            format!("alter role {role} password 'another'"),
            "set the role's password",
        ),
        (
            r#"alter database "repair ""d'b" owner to postgres"#.to_owned(),
            "gave the database to its role",
        ),
        (
            r#"grant connect on database "repair ""d'b" to public"#.to_owned(),
            "closed the database to everybody else",
        ),
    ] {
        run(&login, change.clone()).await;
        let report = ensure_database(&login, &database).await.unwrap();
        assert_eq!(report.steps.len(), 1, "after {change}: {report:?}");
        assert!(report.steps[0].starts_with(repair), "after {change}: {report:?}");
        connect(&as_role(&login, &database)).await.unwrap();
        assert_eq!(
            ensure_database(&login, &database).await.unwrap(),
            Report::default(),
            "after {change}"
        );
    }
}

#[tokio::test]
async fn a_role_at_its_connection_limit_is_not_taken_for_a_wrong_password() {
    let (login, database) = (
        superuser().await,
        Database {
            max_connections: 1,
            ..wanted("full")
        },
    );
    ensure_database(&login, &database).await.unwrap();
    let _only = connect(&as_role(&login, &database)).await.unwrap();
    assert_eq!(ensure_database(&login, &database).await.unwrap(), Report::default());
}

#[tokio::test]
async fn two_at_once_do_not_disturb_each_other() {
    let (login, database) = (superuser().await, wanted("twice"));
    let (one, two) = tokio::join!(ensure_database(&login, &database), ensure_database(&login, &database));
    assert!(one.unwrap().changed != two.unwrap().changed);
}

#[tokio::test]
async fn failures_name_host_and_class() {
    let (login, database) = (superuser().await, wanted("fails"));
    let wrong = Login {
        password: "wrong".to_owned(),
        ..login.clone()
    };
    let error = ensure_database(&wrong, &database).await.unwrap_err();
    assert!(
        matches!(error, PostgresError::WrongPassword { .. }) && error.class() == Class::Fatal,
        "{error}"
    );
    let nobody = Login {
        port: 1,
        ..login.clone()
    };
    let error = ensure_database(&nobody, &database).await.unwrap_err();
    assert_eq!(error.class(), Class::Transient, "{error}");
    assert!(error.to_string().contains(&login.host), "{error}");
    let reserved = Database {
        role: "pg_mine".to_owned(),
        ..database
    };
    let error = ensure_database(&login, &reserved).await.unwrap_err();
    assert_eq!(error.class(), Class::Invalid, "{error}");
}
