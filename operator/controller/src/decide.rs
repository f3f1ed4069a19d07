//! Steps 2 to 4 in one place for the process and for the offline tools: spec → validated → plan → checked plan. Pure.

use shop_api::ShopDeployment;
use shop_plan::check::Finding;
use shop_plan::validate::{Problem, Standing};
use shop_plan::{Inputs, Observed, Plan, ValidatedShop};

/// Why nothing is done.
#[derive(Debug)]
pub enum Refused {
    /// The user has to edit the spec: all problems at once.
    Invalid(Vec<Problem>),
    /// It is not the user's to mend, or not known yet.
    Blocked(String),
}

pub fn validated(shop: &ShopDeployment, inputs: &Inputs, seen: &Observed) -> Result<ValidatedShop, Refused> {
    let name = shop.metadata.name.as_deref().unwrap_or_default();
    let standing = Standing::of(name, seen).map_err(Refused::Blocked)?;
    shop_plan::validate(shop, inputs, &standing).map_err(Refused::Invalid)
}

/// A plan that passed its check; anything found is a mistake of ours and stops everything.
pub fn planned(shop: &ValidatedShop, seen: &Observed) -> Result<Plan, String> {
    let plan = shop_plan::plan(shop, seen).map_err(|error| error.to_string())?;
    let words = |findings: Vec<Finding>| findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    shop_plan::check(&plan, seen).map_err(words)?;
    Ok(plan)
}
