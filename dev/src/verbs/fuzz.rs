//! `./shop fuzz`: what the services say of themselves in OpenAPI, tried on the running shop. Each service is fuzzed as a
//! customer and as the staff its routes are for; no answer may be a 5xx, have a status, type or shape that is not
//! documented. Ends with the requests that repeat a finding. Needs a running shop; removes the products it makes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::cluster::address::Node;
use crate::failure::Failure;
use crate::kube::Kube;
use crate::owner;
use crate::place::Place;
use crate::screen::{Screen, Step};
use crate::shop::account::{self, Account, CUSTOMER};
use crate::shop::schemathesis::{Fuzzer, Run, Sent};
use crate::shop::{demo, http};
use crate::tools::python;
use crate::user;

/// Generated requests, checked against the documents of the services: no 5xx, and no status, content type or body that
/// is not documented
#[derive(clap::Args, Debug)]
pub struct Fuzz {
    /// Only this service, such as order; may be given several times [default: all]
    #[arg(long = "service", value_name = "NAME")]
    pub services: Vec<String>,
    /// Random requests per operation and role, beside those that follow from the document's limits
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub examples: u32,
    /// Repeats the run that printed it, as far as the shop is in the same state [default: a new one]
    #[arg(long)]
    pub seed: Option<u64>,
}

/// As whom each service is fuzzed: those its routes are for first. A service that is not listed is fuzzed as customer
/// and admin.
const ROLES: &[(&str, [&str; 2])] = &[
    ("books", ["admin", "support"]),
    ("inventory", ["merchant", CUSTOMER]),
    ("order", [CUSTOMER, "support"]),
    ("payment", ["support", CUSTOMER]),
    ("product", ["merchant", CUSTOMER]),
    ("recommendation", ["merchant", CUSTOMER]),
    ("user", [CUSTOMER, "admin"]),
];
/// Without its account everything else would be answered with 404, so this operation is fuzzed last, by one of its own.
const LOCKS_OUT: &str = "deleteAccount";
const STOCK: u32 = 1_000_000;

pub fn run(place: &Place, flags: &Fuzz) -> Result<()> {
    let known = documented(place)?;
    for name in &flags.services {
        if !known.contains_key(name) {
            let names: Vec<&str> = known.keys().map(String::as_str).collect();
            let way = format!("the services are {}", names.join(", "));
            return Err(Failure::new(format!("there is no service {name}")).way_out(way).into());
        }
    }
    owner::running(place)?;
    let chosen = |name: &String| flags.services.is_empty() || flags.services.contains(name);
    let services: Vec<(String, PathBuf)> = known.into_iter().filter(|(name, _)| chosen(name)).collect();
    let seed = flags.seed.unwrap_or_else(|| u64::from(std::process::id()));
    screen_line!("seed {seed}");
    let screen = Screen::new(1 + services.len());
    let mut fuzz = screen.step("fuzzer", |step| {
        step.say("installing it, making accounts and a product");
        let fuzz = Session::begin(place, flags.examples, seed)?;
        Ok((fuzz, "Schemathesis, accounts, a product in stock".into()))
    })?;
    let mut failed = None;
    for (name, committed) in &services {
        let result = screen.step(name, |step| {
            let roles = roles(name);
            let sent = fuzz.service(name, committed, &roles, step)?;
            Ok(((), line(sent, &roles)))
        });
        failed = failed.or(result.err());
    }
    fuzz.clean()?;
    failed.map_or(Ok(()), Err)
}

/// A step of `./shop test`: every service once, as the first of its roles, with few examples and always the same seed.
pub fn short(place: &Place, step: &Step<'_>) -> Result<((), String)> {
    const EXAMPLES: u32 = 5;
    const SEED: u64 = 1;
    step.say("accounts and a product");
    let mut fuzz = Session::begin(place, EXAMPLES, SEED)?;
    let mut all = Sent::default();
    for (name, committed) in &documented(place)? {
        let sent = fuzz.service(name, committed, &roles(name)[..1], step)?;
        all.operations += sent.operations;
        all.requests += sent.requests;
    }
    fuzz.clean()?;
    let (operations, requests) = (all.operations, all.requests);
    Ok((
        (),
        format!("{operations} operations, {requests} requests, all answers documented"),
    ))
}

fn line(sent: Sent, roles: &[&str]) -> String {
    let (operations, requests, roles) = (sent.operations, sent.requests, roles.join(" and "));
    format!("{operations} operations, {requests} requests as {roles}")
}

fn roles(service: &str) -> [&'static str; 2] {
    let listed = ROLES.iter().find(|(name, _)| *name == service);
    listed.map_or([CUSTOMER, "admin"], |(_, roles)| *roles)
}

/// Names of the services with their committed documents.
fn documented(place: &Place) -> Result<BTreeMap<String, PathBuf>> {
    let folder = place.checkout.join("services");
    let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut found = BTreeMap::new();
    for entry in entries {
        let entry = entry?;
        let document = entry.path().join("openapi.json");
        if document.is_file() {
            found.insert(entry.file_name().to_string_lossy().into_owned(), document);
        }
    }
    Ok(found)
}

/// Accounts and a product that last for one call of the verb.
struct Session<'a> {
    place: &'a Place,
    kube: Kube,
    fuzzer: Fuzzer,
    accounts: BTreeMap<&'static str, Account>,
}

impl<'a> Session<'a> {
    fn begin(place: &'a Place, examples: u32, seed: u64) -> Result<Session<'a>> {
        let settings = place.checkout.join("dev/fuzz");
        let bin = python::ensure(place, "fuzz", &settings, &place.log("fuzz-tool"))?;
        let (kube, gateway) = (Cluster::kube(place)?, gateway());
        let folder = place.state().join("fuzz");
        user::make_folder(&folder)?;
        let merchant = Account::new(&kube, &gateway, "merchant")?;
        let product = product(&gateway, &merchant.token(&gateway)?)?;
        let fuzzer = Fuzzer {
            bin,
            settings,
            folder,
            gateway,
            examples,
            seed,
            product,
        };
        std::fs::write(fuzzer.made(), format!("/api/v1/products/{}\n", fuzzer.product))?;
        user::give(&fuzzer.made())?;
        let accounts = BTreeMap::from([("merchant", merchant)]);
        Ok(Session {
            place,
            kube,
            fuzzer,
            accounts,
        })
    }

    fn service(&mut self, name: &str, committed: &PathBuf, roles: &[&'static str], step: &Step<'_>) -> Result<Sent> {
        let document = self.fuzzer.folder.join(format!("{name}-openapi.json"));
        let text = std::fs::read(committed).with_context(|| format!("cannot read {}", committed.display()))?;
        let served = served(&self.fuzzer.gateway, &serde_json::from_slice(&text)?)?;
        std::fs::write(&document, served.to_string())?;
        let locks_out = served.to_string().contains(&format!("\"{LOCKS_OUT}\""));
        let mut all = Sent::default();
        for role in roles {
            let args: &[&str] = if locks_out {
                &["--exclude-operation-id", LOCKS_OUT]
            } else {
                &[]
            };
            let token = self.token(role)?;
            let run = Run {
                name: format!("{name}-{role}"),
                document: &document,
                token: &token,
                args,
            };
            self.pass(&run, step, &mut all)?;
        }
        if locks_out {
            let leaver = Account::new(&self.kube, &self.fuzzer.gateway, CUSTOMER)?;
            let token = leaver.token(&self.fuzzer.gateway)?;
            let args = &["--include-operation-id", LOCKS_OUT];
            let run = Run {
                name: format!("{name}-leaver"),
                document: &document,
                token: &token,
                args,
            };
            self.pass(&run, step, &mut all)?;
            all.operations += 1;
        }
        Ok(all)
    }

    fn pass(&self, run: &Run<'_>, step: &Step<'_>, all: &mut Sent) -> Result<()> {
        step.say(&run.name);
        let log = self.place.log(&format!("fuzz-{}", run.name));
        let sent = self.fuzzer.run(run, &log).map_err(|error| {
            let (service, _) = run.name.split_once('-').unwrap_or((&run.name, ""));
            let (examples, seed) = (self.fuzzer.examples, self.fuzzer.seed);
            let way = format!("./shop fuzz --service {service} --examples {examples} --seed {seed} repeats it");
            match error.downcast::<Failure>() {
                Ok(failure) => failure.way_out(way).into(),
                Err(other) => other,
            }
        })?;
        all.requests += sent.requests;
        all.operations = all.operations.max(sent.operations);
        Ok(())
    }

    fn token(&mut self, role: &'static str) -> Result<String> {
        if !self.accounts.contains_key(role) {
            let account = Account::new(&self.kube, &self.fuzzer.gateway, role)?;
            self.accounts.insert(role, account);
        }
        self.accounts[role].token(&self.fuzzer.gateway)
    }

    /// Products would be the newest of the catalogue, where customers and proofs look first.
    fn clean(&mut self) -> Result<()> {
        let headers = [account::bearer(&self.token("merchant")?)];
        let made = std::fs::read_to_string(self.fuzzer.made()).context("the list of products that were made")?;
        for path in made.lines() {
            let gone = http::delete(&format!("{}{path}", self.fuzzer.gateway), &headers)?;
            if gone.status != 404 {
                gone.ok("remove a product")?;
            }
        }
        Ok(())
    }
}

fn gateway() -> String {
    format!("http://{}:{}", Node(1).address(), demo::NODE_PORT)
}

/// A product with stock, so that some of the requests find what they ask for.
fn product(gateway: &str, token: &str) -> Result<String> {
    let headers = [account::bearer(token), "idempotency-key: fuzz".to_string()];
    let body = json!({"name": "Fuzz", "description": "Made by ./shop fuzz", "price_cents": 100, "currency": "EUR"});
    let made = http::post(&format!("{gateway}/api/v1/products"), &headers, &body)?.ok("add a product")?;
    let id = made["id"].as_str().context("the product has no id")?.to_string();
    let body = json!({"quantity": STOCK});
    http::post(&format!("{gateway}/api/v1/stock/{id}/restocks"), &headers, &body)?.ok("restock")?;
    Ok(id)
}

/// The document as the running service serves it, below the first part of one of its paths.
fn served(gateway: &str, committed: &Value) -> Result<Value> {
    let title = &committed["info"]["title"];
    let paths = committed["paths"].as_object().context("the document has no paths")?;
    let prefixes: std::collections::BTreeSet<&str> = paths.keys().filter_map(|path| prefix(path)).collect();
    for prefix in prefixes {
        let answer = http::get(&format!("{gateway}{prefix}/openapi.json"), &[])?;
        if answer.status == 200 && answer.body["info"]["title"] == *title {
            return Ok(answer.body);
        }
    }
    let way = "./shop status says what runs";
    Err(Failure::new(format!("the running shop serves no document {title}"))
        .way_out(way)
        .into())
}

/// `/api/v1/orders` of `/api/v1/orders/{id}`.
fn prefix(path: &str) -> Option<&str> {
    let end = path.match_indices('/').nth(3).map_or(path.len(), |(at, _)| at);
    path.starts_with("/api/").then(|| &path[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_asked_for_below_the_first_parts_of_a_path() {
        assert_eq!(prefix("/api/v1/orders/{id}/cancel"), Some("/api/v1/orders"));
        assert_eq!(prefix("/api/v1/books"), Some("/api/v1/books"));
        assert_eq!(prefix("/.well-known/jwks.json"), None);
    }

    #[test]
    fn every_documented_service_has_its_roles() {
        let place = Place {
            checkout: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".."),
            cache: PathBuf::new(),
        };
        let services = documented(&place).unwrap();
        let listed: Vec<&str> = ROLES.iter().map(|(name, _)| *name).collect();
        assert_eq!(services.keys().collect::<Vec<_>>(), listed);
    }
}
