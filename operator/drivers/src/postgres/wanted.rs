//! What should be there of a role and its database, and which writes are missing when something else is. Pure.

use super::PostgresError;

/// What should be there.
#[derive(Clone)]
pub struct Database {
    pub role: String,
    pub role_password: String,
    pub database: String,
    /// Connection limit of the role.
    pub max_connections: u32,
}

/// What of it is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub role_exists: bool,
    /// May log in, has the wanted limit and no right beyond.
    pub role_as_wanted: bool,
    pub database_exists: bool,
    pub owner_as_wanted: bool,
    /// Everybody may connect or make temporary tables.
    pub database_open: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    CreateRole,
    AlterRole,
    SetPassword,
    CreateDatabase,
    SetOwner,
    CloseDatabase,
    CloseSchema,
}

impl Step {
    /// Words for the report, and the template: 1 role, 2 database, 3 connection limit, 4 password.
    pub fn text(self) -> (&'static str, &'static str) {
        match self {
            Step::CreateRole => (
                "made the role",
                "create role %1$I login connection limit %3$s password %4$L",
            ),
            Step::AlterRole => (
                "corrected the role's rights",
                "alter role %1$I login nosuperuser nocreatedb nocreaterole noreplication nobypassrls \
                 connection limit %3$s",
            ),
            Step::SetPassword => ("set the role's password", "alter role %1$I password %4$L"),
            Step::CreateDatabase => (
                "made the database",
                "create database %2$I owner %1$I template template0 encoding 'UTF8'",
            ),
            Step::SetOwner => ("gave the database to its role", "alter database %2$I owner to %1$I"),
            Step::CloseDatabase => (
                "closed the database to everybody else",
                "revoke all on database %2$I from public",
            ),
            Step::CloseSchema => (
                "took the right to make tables from everybody",
                "revoke create on schema public from public",
            ),
        }
    }
}

/// What differs, in the order it has to be written. The password and the schema are looked at afterwards.
pub(super) fn steps(seen: &Seen) -> Vec<Step> {
    let wanted = [
        (!seen.role_exists, Step::CreateRole),
        (seen.role_exists && !seen.role_as_wanted, Step::AlterRole),
        (!seen.database_exists, Step::CreateDatabase),
        (seen.database_exists && !seen.owner_as_wanted, Step::SetOwner),
        // A new database is open to everybody.
        (!seen.database_exists || seen.database_open, Step::CloseDatabase),
    ];
    wanted
        .into_iter()
        .filter_map(|(differs, step)| differs.then_some(step))
        .collect()
}

/// Names Postgres would cut off or keeps for itself are refused before anything is written.
pub(super) fn check(wanted: &Database) -> Result<(), PostgresError> {
    let invalid = |what, value: &str, rule| {
        Err(PostgresError::Invalid {
            what,
            value: value.to_owned(),
            rule,
        })
    };
    for (what, name) in [("role", &wanted.role), ("database", &wanted.database)] {
        if name.is_empty() || name.len() > 63 || name.contains('\0') {
            return invalid(what, name, "a name has 1 to 63 bytes");
        }
        if name.starts_with("pg_") || ["postgres", "template0", "template1", "public", "none"].contains(&name.as_str())
        {
            return invalid(what, name, "Postgres keeps this name for itself");
        }
    }
    if wanted.role_password.is_empty() || wanted.role_password.contains('\0') {
        return invalid(
            "password of role",
            &wanted.role,
            "it must not be empty or hold a zero byte",
        );
    }
    if i32::try_from(wanted.max_connections).is_err() {
        return invalid(
            "connection limit",
            &wanted.max_connections.to_string(),
            "at most 2147483647",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_when_nothing_differs() {
        let seen = Seen {
            role_exists: true,
            role_as_wanted: true,
            database_exists: true,
            owner_as_wanted: true,
            database_open: false,
        };
        assert_eq!(steps(&seen), []);
    }

    #[test]
    fn an_empty_server_gets_role_before_database() {
        assert_eq!(
            steps(&Seen::default()),
            [Step::CreateRole, Step::CreateDatabase, Step::CloseDatabase]
        );
    }
}
