//! The script that starts Patroni removes half a database, and nothing else.

use std::process::Command;

#[test]
fn only_what_was_cut_off_is_removed() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/component/postgres/start_test.py");
    let done = Command::new("python3")
        .args(["-B", file])
        .output()
        .expect("python3 is there");
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && told.contains("Ran 7 tests"), "{told}");
}
