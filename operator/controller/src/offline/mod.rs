//! `shop-operator crd` and `shop-operator plan`: what the operator would do, printed without doing it. In come files (and,
//! when asked, the cluster, read only), out goes text or JSON. Writes nothing anywhere.

mod before;

use crate::decide::{self, Refused};
use anyhow::Context as _;
use clap::ValueEnum;
use serde_json::Value;
use shop_api::ShopDeployment;
use shop_plan::explain::{Explanation, explain};
use shop_plan::inputs::Images;
use shop_plan::validate::Problem;
use shop_plan::{Inputs, Observed, Plan, ValidatedShop};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const INVALID_SPEC: u8 = 1;
const USAGE: u8 = 2;

/// Exit code: 0 the plan was printed, 1 the spec is invalid (all problems are printed), 2 anything else went wrong.
#[derive(clap::Args)]
pub struct PlanArguments {
    /// YAML or JSON file with one ShopDeployment.
    #[arg(short, long)]
    file: PathBuf,
    /// Compare with the plan of this older file.
    #[arg(long, conflicts_with = "against")]
    from: Option<PathBuf>,
    /// Compare with what runs in the cluster of the current kubeconfig (reads only).
    #[arg(long, value_enum)]
    against: Option<Against>,
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
    /// Namespace of the shop when the file names none.
    #[arg(short, long, default_value = "default")]
    namespace: String,
    /// Images the operator was installed with, as JSON [default: with --against cluster those of the installation, else
    /// stand-ins].
    #[arg(long, env = "SHOP_OPERATOR_IMAGES", value_parser = crate::images)]
    images: Option<Images>,
    /// Secrets with which the shop's pods pull their images, separated by commas [default: with --against cluster and
    /// without --images those of the installation, else none].
    #[arg(
        long,
        env = "SHOP_OPERATOR_IMAGE_PULL_SECRETS",
        value_delimiter = ',',
        requires = "images"
    )]
    image_pull_secrets: Vec<String>,
    /// Where the operator is installed.
    #[arg(long, env = "SHOP_OPERATOR_NAMESPACE", default_value = "shop-system")]
    operator_namespace: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Against {
    Cluster,
}

#[derive(Clone, Copy, ValueEnum)]
enum Output {
    Text,
    Json,
}

pub fn print_crd() -> ExitCode {
    match serde_saphyr::to_string(&shop_api::crd()) {
        Ok(yaml) => said(&yaml),
        Err(error) => failed(&anyhow::Error::from(error)),
    }
}

pub fn print_completion(shell: clap_complete::Shell, command: &mut clap::Command) -> ExitCode {
    let mut script = Vec::new();
    let name = command.get_name().to_owned();
    clap_complete::generate(shell, command, name, &mut script);
    said(&String::from_utf8_lossy(&script))
}

pub fn plan(arguments: &PlanArguments) -> ExitCode {
    match explained(arguments) {
        Ok(Ok(explanation)) => match text(&explanation, arguments.output) {
            Ok(text) => said(&text),
            Err(error) => failed(&error),
        },
        Ok(Err(problems)) => {
            eprintln!("{}: the spec is invalid:", arguments.file.display());
            problems.iter().for_each(|problem| eprintln!("  {problem}"));
            ExitCode::from(INVALID_SPEC)
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::from(USAGE)
}

/// Whoever has read enough and closed the pipe, such as `head`, is no failure.
fn said(text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => failed(&anyhow::anyhow!("cannot print: {error}")),
        _ => ExitCode::SUCCESS,
    }
}

fn text(explanation: &Explanation, output: Output) -> anyhow::Result<String> {
    Ok(match output {
        Output::Text => explanation.to_string(),
        Output::Json => serde_json::to_string_pretty(explanation)? + "\n",
    })
}

type Checked<T> = Result<T, Vec<Problem>>;

fn explained(arguments: &PlanArguments) -> anyhow::Result<Checked<Explanation>> {
    let mut inputs = inputs(arguments);
    let shop = read(&arguments.file, &arguments.namespace)?;
    let (before, seen) = match (&arguments.from, arguments.against) {
        (Some(old), _) => {
            let old = read(old, &arguments.namespace)?;
            same_shop(&old, &shop)?;
            match decided(&old, &inputs, &before::nothing())? {
                Ok((_, plan)) => before::of_plan(plan),
                Err(problems) => return Ok(Err(problems)),
            }
        }
        (None, Some(Against::Cluster)) => {
            if arguments.images.is_none() {
                (inputs.images, inputs.image_pull_secrets) = before::installed(&arguments.operator_namespace)?;
            }
            before::of_cluster(&shop)?
        }
        (None, None) => (Vec::new(), before::nothing()),
    };
    let decided = decided(&shop, &inputs, &seen)?;
    Ok(decided.map(|(valid, plan)| explain(&valid, &plan, &before)))
}

/// Names do not change, so two of them are two shops, between which nothing can be compared.
fn same_shop(old: &ShopDeployment, new: &ShopDeployment) -> anyhow::Result<()> {
    let name = |shop: &ShopDeployment| {
        let namespace = shop.metadata.namespace.as_deref().unwrap_or_default();
        format!("{namespace}/{}", shop.metadata.name.as_deref().unwrap_or_default())
    };
    let (old, new) = (name(old), name(new));
    anyhow::ensure!(
        old == new,
        "--from is shop {old}, --file is shop {new}: give an older version of the same shop"
    );
    Ok(())
}

fn decided(shop: &ShopDeployment, inputs: &Inputs, seen: &Observed) -> anyhow::Result<Checked<(ValidatedShop, Plan)>> {
    let valid = match decide::validated(shop, inputs, seen) {
        Ok(valid) => valid,
        Err(Refused::Invalid(problems)) => return Ok(Err(problems)),
        Err(Refused::Blocked(why)) => anyhow::bail!(why),
    };
    let plan = decide::planned(&valid, seen).map_err(anyhow::Error::msg)?;
    Ok(Ok((valid, plan)))
}

fn inputs(arguments: &PlanArguments) -> Inputs {
    Inputs {
        images: arguments.images.clone().unwrap_or_else(default_images),
        image_pull_secrets: arguments.image_pull_secrets.clone(),
        version: crate::VERSION.to_owned(),
        operator_namespace: arguments.operator_namespace.clone(),
        now: jiff::Timestamp::now(),
    }
}

/// Stand-ins, when nobody says which images an installation has.
fn default_images() -> Images {
    let image = |name: &str| format!("shop/{name}:{}", crate::VERSION);
    Images {
        postgres: image("postgres"),
        redis: image("redis"),
        rabbitmq: image("rabbitmq"),
        gateway: image("gateway"),
        user: image("user"),
        product: image("product"),
        order: image("order"),
        inventory: image("inventory"),
        payment: image("payment"),
        recommendation: image("recommendation"),
        books: image("books"),
        single: image("single"),
    }
}

fn read(file: &Path, namespace: &str) -> anyhow::Result<ShopDeployment> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    parse(&text, namespace).with_context(|| file.display().to_string())
}

fn parse(text: &str, namespace: &str) -> anyhow::Result<ShopDeployment> {
    let value: Value = serde_saphyr::from_str(text).context("not one YAML document")?;
    let kind = value["kind"].as_str().unwrap_or("nothing");
    anyhow::ensure!(
        kind == "ShopDeployment",
        "holds {kind} where a ShopDeployment is expected"
    );
    let mut shop: ShopDeployment = serde_json::from_value(value).context("not a ShopDeployment")?;
    shop.metadata.namespace.get_or_insert_with(|| namespace.to_owned());
    Ok(shop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_something_else_is_named_as_such() {
        let error = parse("apiVersion: v1\nkind: Pod\n", "default").expect_err("no shop");
        assert_eq!(error.to_string(), "holds Pod where a ShopDeployment is expected");
    }

    #[test]
    fn a_shop_without_namespace_gets_the_one_asked_for() {
        let text = "apiVersion: shop-operator.io/v1alpha1\nkind: ShopDeployment\nmetadata: {name: demo}\nspec: {}\n";
        let shop = parse(text, "shops").expect("a shop");
        assert_eq!(shop.metadata.namespace.as_deref(), Some("shops"));
    }

    #[test]
    fn two_shops_are_not_compared() {
        let shop = |name: &str| {
            let text = format!(
                "kind: ShopDeployment\napiVersion: shop-operator.io/v1alpha1\nmetadata: {{name: {name}}}\nspec: {{}}\n"
            );
            parse(&text, "default").expect("a shop")
        };
        assert!(same_shop(&shop("demo"), &shop("demo")).is_ok());
        let error = same_shop(&shop("demo"), &shop("other")).expect_err("two shops");
        assert!(error.to_string().contains("default/demo") && error.to_string().contains("default/other"));
    }

    #[test]
    fn fewer_standbys_are_explained_although_no_postgres_is_asked() {
        let shop = |replicas: u16| {
            let spec = format!("{{postgres: {{orders: {{shards: 1, replicas: {replicas}}}}}}}");
            let head = "kind: ShopDeployment\napiVersion: shop-operator.io/v1alpha1\nmetadata: {name: demo}";
            parse(&format!("{head}\nspec: {spec}\n"), "default").expect("a shop")
        };
        let inputs = Inputs {
            images: default_images(),
            image_pull_secrets: vec![],
            version: crate::VERSION.to_owned(),
            operator_namespace: "shop-system".into(),
            now: jiff::Timestamp::UNIX_EPOCH,
        };
        let (_, plan) = decided(&shop(2), &inputs, &before::nothing())
            .expect("planned")
            .expect("valid");
        let (objects, seen) = before::of_plan(plan);
        let (valid, plan) = decided(&shop(1), &inputs, &seen).expect("planned").expect("valid");
        let explained = explain(&valid, &plan, &objects).to_string();
        assert!(explained.contains("replicas: 3 → 2"), "{explained}");
    }

    #[test]
    fn a_plan_from_nothing_creates_and_the_same_again_changes_nothing() {
        let text = "apiVersion: shop-operator.io/v1alpha1\nkind: ShopDeployment\nmetadata: {name: demo}\nspec: {}\n";
        let shop = parse(text, "default").expect("a shop");
        let inputs = Inputs {
            images: default_images(),
            image_pull_secrets: Vec::new(),
            version: crate::VERSION.to_owned(),
            operator_namespace: "shop-system".into(),
            now: jiff::Timestamp::UNIX_EPOCH,
        };
        let (valid, plan) = decided(&shop, &inputs, &before::nothing())
            .expect("planned")
            .expect("valid");
        assert!(explain(&valid, &plan, &[]).unchanged == 0);
        let (objects, seen) = before::of_plan(plan);
        let (valid, plan) = decided(&shop, &inputs, &seen).expect("planned").expect("valid");
        let again = explain(&valid, &plan, &objects);
        assert!(again.changes.is_empty(), "{again}");
    }
}
