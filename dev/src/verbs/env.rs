//! `./shop env`: exports for the user's shell. Prints, changes nothing.

use anyhow::Result;

use crate::place::Place;

/// `eval "$(./shop env)"` puts kubectl, helm and shop-operator on the PATH and points them at the cluster.
pub fn run(place: &Place) -> Result<()> {
    screen_line!("export KUBECONFIG={}", quoted(&place.kubeconfig().to_string_lossy()));
    screen_line!("export PATH={}:\"$PATH\"", quoted(&place.bin().to_string_lossy()));
    // The script has put the cluster into them when a proxy is set.
    for name in ["no_proxy", "NO_PROXY"] {
        if let Ok(value) = std::env::var(name) {
            screen_line!("export {name}={}", quoted(&value));
        }
    }
    Ok(())
}

/// For a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn paths_survive_a_shell() {
        assert_eq!(super::quoted("/a b/it's"), r"'/a b/it'\''s'");
    }
}
