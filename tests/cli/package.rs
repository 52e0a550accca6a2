//! The package that `cargo publish` would send: it has all that its tests need, and nothing of anybody's.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::project::{files_below, is_published, repository};

/// All that the package may have at its root.
const ROOT: [&str; 14] = [
    ".cargo_vcs_info.json",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "Cargo.toml.orig",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "clippy.toml",
    "docs",
    "src",
    "templates",
    "tests",
];

/// What `cargo` answers in the repository. It builds nothing and asks no registry.
fn cargo(args: &[&str]) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(args)
        .args(["--locked", "--offline"])
        .current_dir(repository())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {args:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

fn listed() -> BTreeSet<String> {
    let list = cargo(&["package", "--list", "--allow-dirty"]);
    list.lines().map(str::to_owned).collect()
}

#[test]
fn the_package_has_what_its_tests_need_and_nothing_else() {
    if is_published() {
        return;
    }
    let listed = listed();
    for folder in [
        "src",
        "templates",
        "docs",
        "tests/cli",
        "tests/project",
        "tests/data",
        "tests/manifests",
    ] {
        for path in files_below(&repository().join(folder)) {
            let path = path.strip_prefix(repository()).unwrap().to_str().unwrap();
            assert!(listed.contains(path), "{path} is missing");
        }
    }
    for path in &listed {
        let root = path.split('/').next().unwrap();
        assert!(ROOT.contains(&root), "{path} is not the package's");
        assert!(!path.starts_with("tests/lab"), "{path} cannot run without the lab");
    }
    for path in ROOT {
        let below = format!("{path}/");
        assert!(
            listed.iter().any(|one| one == path || one.starts_with(&below)),
            "{path} is missing"
        );
    }
}

/// Every machine that the estate at the repository's root names: hosts of ssh and of web addresses.
fn machines() -> Vec<String> {
    let manifest: toml::Table = toml::from_str(&fs::read_to_string(repository().join("tasks.toml")).unwrap()).unwrap();
    let named = |table: &str, key: &str| {
        let entries = manifest[table].as_table().unwrap().values();
        let texts = entries.filter_map(|entry| Some(entry.get(key)?.as_str()?.to_owned()));
        texts.collect::<Vec<String>>()
    };
    let addresses = [
        named("upstreams", "host"),
        named("hosts", "ssh"),
        named("stacks", "base-url"),
    ]
    .concat();
    let host = |address: &String| {
        let host = address.rsplit(['@', '/']).next().unwrap();
        host.split(':').next().unwrap().to_owned()
    };
    let mut hosts: Vec<String> = addresses.iter().map(host).collect();
    hosts.retain(|host| host != "localhost");
    hosts
}

#[test]
fn no_machine_of_the_estate_is_named_in_the_package() {
    if is_published() {
        return;
    }
    let machines = machines();
    assert!(machines.len() >= 4, "{machines:?}");
    for path in listed() {
        // The text that is written anew, and the record of the commit, have no file here.
        let Ok(text) = fs::read(repository().join(&path)) else {
            continue;
        };
        let text = String::from_utf8_lossy(&text).to_lowercase();
        for machine in &machines {
            assert!(!text.contains(machine.as_str()), "{path} names {machine}");
        }
    }
}

/// `1.89` and `1.89.0` alike.
fn version(text: &str) -> Vec<u32> {
    let mut parts: Vec<u32> = text.split('.').map(|part| part.parse().unwrap()).collect();
    parts.resize(3, 0);
    parts
}

#[test]
fn no_crate_needs_a_newer_rust_than_ours() {
    if is_published() {
        return;
    }
    let metadata: Value = serde_json::from_str(&cargo(&[
        "metadata",
        "--format-version=1",
        "--all-features",
        "--filter-platform=x86_64-unknown-linux-gnu",
    ]))
    .unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let needs = |package: &Value| package["rust_version"].as_str().map(version);
    let ours = packages.iter().find(|package| package["name"] == "opw-task").unwrap();
    let ours = needs(ours).expect("Cargo.toml says rust-version");
    assert!(packages.len() > 100, "{} packages", packages.len());
    for package in packages {
        if let Some(least) = needs(package) {
            assert!(
                least <= ours,
                "{} {} needs Rust {least:?}",
                package["name"],
                package["version"]
            );
        }
    }
}

/// The pages of the repository.
fn pages() -> Vec<(PathBuf, String)> {
    let mut pages = files_below(&repository().join("docs"));
    for page in ["README.md", "CONTRIBUTING.md", "SECURITY.md", "docker/lab/README.md"] {
        pages.push(repository().join(page));
    }
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    let read = |page: PathBuf| {
        let text = fs::read_to_string(&page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        (page, text)
    };
    pages.into_iter().map(read).collect()
}

/// The heading as the end of an address: `#as-github-makes-it`.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn what_pages_link_to_is_there() {
    if is_published() {
        return;
    }
    let mut links = 0;
    for (page, text) in pages() {
        for rest in text.split("](").skip(1) {
            let link = rest.split(')').next().unwrap();
            if link.contains("://") {
                continue;
            }
            let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => page.clone(),
                path => page.parent().unwrap().join(path),
            };
            assert!(target.exists(), "{} links to {link}", page.display());
            if !fragment.is_empty() {
                let target = fs::read_to_string(&target).unwrap();
                let mut headings = target.lines().filter(|line| line.starts_with('#')).map(anchor);
                assert!(
                    headings.any(|heading| heading == fragment),
                    "{} links to {link}",
                    page.display()
                );
            }
            links += 1;
        }
    }
    assert!(links > 20, "{links} links");
}

#[test]
fn files_that_pages_name_are_there() {
    if is_published() {
        return;
    }
    let mut named = 0;
    for (page, text) in pages() {
        for word in text.split('`').skip(1).step_by(2) {
            let folders = ["src/", "tests/", "scripts/", "templates/"];
            if !folders.iter().any(|folder| word.starts_with(folder)) || word.contains("NAME") {
                continue;
            }
            let path = word.split(' ').next().unwrap();
            assert!(repository().join(path).exists(), "{} names {path}", page.display());
            named += 1;
        }
    }
    assert!(named > 20, "{named} files");
}
