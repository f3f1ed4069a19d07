//! All images of the shop: built when their content changed, pushed when the registry lacks them.
//! In: a checkout, the cache, a registry. Out: one reference per image, tagged with the key of its content.
//! Nothing here knows the cluster. Images of packages are built while cargo compiles the programs for the others.

mod builder;
mod debian;
mod program;
mod recipe;
mod registry;
mod source;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use builder::Builder;
use program::Programs;
use recipe::{Content, Program, Recipe};
use registry::Manifest;

use crate::command;
use crate::place::Place;
use crate::user;

pub struct Request<'a> {
    /// Root of the repository.
    pub checkout: &'a Path,
    pub cache: &'a Path,
    /// Host, and path if wanted: `registry.example.com/team`. Without it images are built and pushed nowhere.
    pub registry: Option<&'a str>,
    /// For the embedded registry only.
    pub plain_http: bool,
    /// All output of child processes; cargo writes to `programs.log` beside it, for it runs at the same time.
    pub log: &'a Path,
    pub progress: &'a dyn Fn(&str),
}

pub struct Built {
    /// By name: `postgres` → `registry.example.com/team/postgres:0123456789abcdef`.
    pub references: BTreeMap<String, String>,
    /// What the registry keeps for them, compressed, shared layers counted once; 0 when it does not say.
    pub bytes: u64,
}

/// One image, its key, and what the registry says of it.
struct Item {
    recipe: &'static Recipe,
    key: String,
    manifest: Option<Manifest>,
}

/// All images' names.
pub fn names() -> impl Iterator<Item = &'static str> {
    recipe::ALL.iter().map(|recipe| recipe.name)
}

/// A program of the workspace for this machine: compiled with all others, unless it is there already.
pub fn program(place: &Place, binary: &str, log: &Path) -> Result<PathBuf> {
    let (checkout, cache) = (&place.checkout, &place.cache);
    let wanted: Vec<Program> = recipe::programs().collect();
    for _ in 0..TRIES {
        let keys = source::program_keys(checkout, &wanted)?;
        let file = keys.get(binary).map(|key| program::kept(cache, key, binary));
        if let Some(file) = file.filter(|file| file.is_file()) {
            return Ok(file);
        }
        eprintln!("shop: compiling the programs (log in .shop/logs/programs.log)");
        if let Some(programs) = program::ensure(checkout, cache, &wanted, &keys, log)? {
            return programs
                .get(binary)
                .cloned()
                .with_context(|| format!("no program {binary}"));
        }
    }
    anyhow::bail!("{RESTLESS}")
}

const RESTLESS: &str = "source files change faster than they compile: run it again when they rest";

/// How often a build starts anew because a source file was saved under it.
const TRIES: usize = 3;

pub fn build_and_push(request: &Request<'_>) -> Result<Built> {
    let work = request.cache.join("images");
    let _lock = lock(&work, request.progress)?;
    let wanted: Vec<Program> = recipe::programs().collect();
    for _ in 0..TRIES {
        let keys = source::program_keys(request.checkout, &wanted)?;
        let mut items = items(request, &keys)?;
        let missing: Vec<&Item> = items.iter().filter(|item| item.manifest.is_none()).collect();
        if missing.is_empty() || make(request, &work, &missing, &wanted, &keys)? {
            return Ok(built(request, &mut items));
        }
    }
    anyhow::bail!("{RESTLESS}")
}

fn built(request: &Request<'_>, items: &mut [Item]) -> Built {
    for item in items.iter_mut().filter(|item| item.manifest.is_none()) {
        item.manifest = seen(request, item.recipe, &item.key);
    }
    let reference = |item: &Item| recipe::reference(request.registry, item.recipe.name, &item.key);
    Built {
        references: items
            .iter()
            .map(|item| (item.recipe.name.to_string(), reference(item)))
            .collect(),
        bytes: registry::bytes(items.iter().filter_map(|item| item.manifest.as_ref())),
    }
}

fn items(request: &Request<'_>, keys: &BTreeMap<&'static str, String>) -> Result<Vec<Item>> {
    let item = |recipe: &'static Recipe| {
        let program = match recipe.content {
            Content::Packages => None,
            Content::Program(program) => keys.get(program.binary).map(String::as_str),
        };
        let key = recipe.key(request.checkout, program)?;
        Ok(Item {
            recipe,
            manifest: seen(request, recipe, &key),
            key,
        })
    };
    recipe::ALL.iter().map(item).collect()
}

fn seen(request: &Request<'_>, recipe: &Recipe, key: &str) -> Option<Manifest> {
    request
        .registry
        .and_then(|registry| registry::manifest(registry, request.plain_http, recipe.name, key))
}

/// Builds and pushes what is missing; `false` when the sources changed meanwhile.
fn make(
    request: &Request<'_>,
    work: &Path,
    missing: &[&Item],
    wanted: &[Program],
    keys: &BTreeMap<&'static str, String>,
) -> Result<bool> {
    let builder = Builder::find(work)?;
    let (packaged, compiled): (Vec<&Item>, Vec<&Item>) = missing
        .iter()
        .partition(|item| item.recipe.content == Content::Packages);
    let cargo_log = request.log.with_file_name("programs.log");
    std::thread::scope(|scope| {
        let compiling = (!compiled.is_empty())
            .then(|| scope.spawn(|| program::ensure(request.checkout, request.cache, wanted, keys, &cargo_log)));
        if let Err(error) = packages(request, &builder, work, &packaged) {
            (request.progress)("failed; waiting for the compiler to end");
            return Err(error);
        }
        let Some(compiling) = compiling else { return Ok(true) };
        (request.progress)("compiling operator and services");
        let programs = match compiling.join() {
            Ok(programs) => programs?,
            Err(_) => anyhow::bail!("the thread that runs cargo broke off"),
        };
        let Some(programs) = programs else { return Ok(false) };
        for item in &compiled {
            let context = context_with_program(request, item.recipe, &programs)?;
            one(request, &builder, item, context.path())?;
        }
        Ok(true)
    })
}

/// The base and what is built from packages alone.
fn packages(request: &Request<'_>, builder: &Builder, work: &Path, items: &[&Item]) -> Result<()> {
    builder.tidy(request.log)?;
    (request.progress)("base");
    debian::ensure(builder, work, request.log).context("the base image cannot be made")?;
    items
        .iter()
        .try_for_each(|item| one(request, builder, item, &item.recipe.context(request.checkout)))
}

/// Builds one image unless the builder still has it, and pushes it.
fn one(request: &Request<'_>, builder: &Builder, item: &Item, context: &Path) -> Result<()> {
    let name = item.recipe.name;
    let position = recipe::ALL
        .iter()
        .position(|recipe| recipe.name == name)
        .unwrap_or_default()
        + 1;
    (request.progress)(&format!("{name} {position}/{}", recipe::ALL.len()));
    let local = recipe::reference(None, name, &item.key);
    if !builder.has(&local) {
        twice(request.log, || builder.build(context, &local, request.log))
            .with_context(|| format!("image {name} cannot be built"))?;
    }
    let Some(registry) = request.registry else {
        return Ok(());
    };
    let remote = recipe::reference(Some(registry), name, &item.key);
    twice(request.log, || {
        builder.push(&local, &remote, request.plain_http, request.log)
    })
    .with_context(|| format!("image {name} cannot be pushed to {registry}"))
}

/// The folder of the image with the program beside the Containerfile.
fn context_with_program(request: &Request<'_>, recipe: &Recipe, programs: &Programs) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir_in(request.cache.join("images"))?;
    let source = recipe.context(request.checkout).join("Containerfile");
    std::fs::copy(&source, folder.path().join("Containerfile"))
        .with_context(|| format!("cannot read {}", source.display()))?;
    if let Content::Program(program) = recipe.content {
        let file: &PathBuf = programs
            .get(program.binary)
            .with_context(|| format!("no program {}", program.binary))?;
        std::fs::copy(file, folder.path().join(program.binary))
            .with_context(|| format!("cannot read {}", file.display()))?;
    }
    Ok(folder)
}

/// One build at a time per cache; the lock goes with the process.
fn lock(work: &Path, progress: &dyn Fn(&str)) -> Result<File> {
    user::make_folder(work)?;
    let path = work.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    if file.try_lock().is_err() {
        progress("waiting for another build of the images");
        file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    }
    Ok(file)
}

/// For work that fetches from afar: a second try when the first failed, and the second's words if it fails as well.
fn twice(log: &Path, mut work: impl FnMut() -> Result<()>) -> Result<()> {
    let Err(error) = work() else { return Ok(()) };
    writeln!(command::open_log(log)?, "{error:#}: a second try")?;
    work()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_fails_once_succeeds_and_the_log_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut tries = 0;
        let result = twice(&log, || {
            tries += 1;
            if tries == 1 { anyhow::bail!("no answer") } else { Ok(()) }
        });
        assert!(result.is_ok());
        assert_eq!(std::fs::read_to_string(&log).unwrap(), "no answer: a second try\n");
    }

    #[test]
    fn a_second_build_waits_for_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let first = lock(folder.path(), &|_| ()).unwrap();
        let second = File::create(folder.path().join("lock")).unwrap();
        assert!(second.try_lock().is_err());
        drop(first);
        assert!(second.try_lock().is_ok());
    }
}
