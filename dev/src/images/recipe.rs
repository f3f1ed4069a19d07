//! Which images there are and what decides their content.
//! In: the checkout. Out: per image its folder and its key, the name under which builder and registry keep it.
//! The key covers the Containerfile and its neighbours, the program and how the base is made. Must not run anything.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::debian;
use super::source::Hash;

/// Raise it when a change of this crate alters what an unchanged recipe gives.
const GENERATION: &str = "1";

/// What an image holds besides the files in its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Packages its Containerfile fetches. Their repositories keep no old versions and offer no dated copy, so the key
    /// names a release line: the same key built later may hold newer fixes of the same line.
    Packages,
    /// A program of this workspace.
    Program(Program),
}

/// A program of this workspace, and the crate it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    pub package: &'static str,
    pub binary: &'static str,
}

#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    pub name: &'static str,
    /// Below images/.
    pub folder: &'static str,
    pub content: Content,
}

const fn packages(name: &'static str) -> Recipe {
    Recipe {
        name,
        folder: name,
        content: Content::Packages,
    }
}

const fn program(name: &'static str, folder: &'static str, package: &'static str) -> Recipe {
    Recipe {
        name,
        folder,
        content: Content::Program(Program { package, binary: name }),
    }
}

/// Those that need no compiler come first: they are built while it works.
pub const ALL: &[Recipe] = &[
    packages("postgres"),
    packages("redis"),
    packages("rabbitmq"),
    packages("gateway"),
    program("shop-operator", "operator", "shop-controller"),
    program("user", "user", "shop-user"),
    program("product", "product", "shop-product"),
    program("order", "order", "shop-order"),
    program("inventory", "inventory", "shop-inventory"),
    program("payment", "payment", "shop-payment"),
    program("recommendation", "recommendation", "shop-recommendation"),
    program("books", "books", "shop-books"),
    Recipe {
        name: "single",
        folder: "single",
        content: Content::Program(Program {
            package: "shop-single",
            binary: "shop-single",
        }),
    },
];

/// A program that runs on this machine, in no image; compiled with the others, because it shares their dependencies.
const LOAD: Program = Program {
    package: "shop-load",
    binary: "shop-load",
};

pub fn programs() -> impl Iterator<Item = Program> {
    let in_images = ALL.iter().filter_map(|recipe| match recipe.content {
        Content::Packages => None,
        Content::Program(program) => Some(program),
    });
    in_images.chain([LOAD])
}

impl Recipe {
    pub fn context(&self, checkout: &Path) -> PathBuf {
        checkout.join("images").join(self.folder)
    }

    /// `program_key` is that of the program in it, if there is one.
    pub fn key(&self, checkout: &Path, program_key: Option<&str>) -> Result<String> {
        let mut hash = Hash::new();
        hash.text(GENERATION)
            .text(std::env::consts::ARCH)
            .text(debian::recipe_text().as_str());
        hash.text(program_key.unwrap_or("no program"));
        hash.tree(&self.context(checkout))?;
        Ok(hash.short())
    }
}

/// `shop/postgres`; in a registry that was named with a path, below that path.
pub fn reference(registry: Option<&str>, name: &str, key: &str) -> String {
    let repository = repository(registry, name);
    match registry {
        Some(registry) => format!("{}/{repository}:{key}", host(registry)),
        None => format!("localhost/{repository}:{key}"),
    }
}

/// The part between host and tag.
pub fn repository(registry: Option<&str>, name: &str) -> String {
    match registry.and_then(|registry| registry.trim_end_matches('/').split_once('/')) {
        Some((_, path)) => format!("{path}/{name}"),
        None => format!("shop/{name}"),
    }
}

pub fn host(registry: &str) -> &str {
    registry.split('/').next().unwrap_or(registry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn checkout() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    fn containerfile(recipe: &Recipe) -> String {
        std::fs::read_to_string(recipe.context(&checkout()).join("Containerfile")).unwrap()
    }

    #[test]
    fn every_folder_of_images_is_a_recipe_and_the_other_way_round() {
        let folders = std::fs::read_dir(checkout().join("images"))
            .unwrap()
            .map(|entry| entry.unwrap());
        let found: BTreeSet<String> = folders
            .filter(|entry| entry.path().is_dir())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        let known: BTreeSet<String> = ALL.iter().map(|recipe| recipe.folder.to_string()).collect();
        assert_eq!(found, known);
    }

    #[test]
    fn every_image_runs_as_a_numbered_user_and_says_what_it_is() {
        for recipe in ALL {
            let text = containerfile(recipe);
            let user = text.lines().rfind(|line| line.starts_with("USER ")).unwrap_or_default();
            let expected = if recipe.name == "postgres" {
                "USER 26:26"
            } else {
                "USER 1000:1000"
            };
            assert_eq!(user, expected, "{}", recipe.name);
            for label in ["title", "description", "version", "licenses"] {
                let label = format!("org.opencontainers.image.{label}=\"");
                assert!(text.contains(&label), "{} lacks {label}", recipe.name);
            }
        }
    }

    #[test]
    fn images_start_from_the_one_base_or_from_nothing() {
        for recipe in ALL {
            for line in containerfile(recipe).lines().filter(|line| line.starts_with("FROM ")) {
                let from = line.split_whitespace().nth(1).unwrap_or_default();
                assert!([debian::NAME, "scratch"].contains(&from), "{}: {line}", recipe.name);
            }
        }
    }

    #[test]
    fn a_reference_lies_below_the_path_that_was_named() {
        assert_eq!(
            reference(Some("198.18.0.1:5000"), "redis", "k"),
            "198.18.0.1:5000/shop/redis:k"
        );
        assert_eq!(
            reference(Some("registry.example.com/team"), "redis", "k"),
            "registry.example.com/team/redis:k"
        );
        assert_eq!(
            reference(Some("registry.example.com/"), "redis", "k"),
            "registry.example.com/shop/redis:k"
        );
        assert_eq!(reference(None, "redis", "k"), "localhost/shop/redis:k");
    }

    #[test]
    fn another_program_is_another_image() {
        let recipe = ALL.iter().find(|recipe| recipe.name == "user").unwrap();
        let key = |program| recipe.key(&checkout(), Some(program)).unwrap();
        assert_eq!(key("a"), key("a"));
        assert_ne!(key("a"), key("b"));
    }
}
