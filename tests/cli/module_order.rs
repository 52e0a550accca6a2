//! The modules of `src/` import in the order that `docs/architecture.md` states.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Returns the position of each module in the list of the page.
fn order() -> BTreeMap<String, usize> {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/architecture.md")).unwrap();
    let list = page.split_once("```modules\n").expect("the page has the list").1;
    let list = list.split_once("```").unwrap().0;
    let rows = list.lines().enumerate();
    rows.flat_map(|(row, names)| names.split_whitespace().map(move |name| (name.to_owned(), row)))
        .collect()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Returns the code of a file without its tests and comments.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = code.lines().map(|line| line.split("//").next().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the modules that are named behind `crate::`, those of `crate::{…}` too.
fn imported(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let mut depth = 0;
        for (index, word) in rest
            .split_inclusive(['{', '}', ',', ':', ';', '(', ' ', '\n'])
            .enumerate()
        {
            let name = word.trim_matches(|sign: char| !sign.is_alphanumeric() && sign != '_');
            if depth == 1 && !name.is_empty() || index == 0 && !word.starts_with('{') {
                let name = name.split(|sign: char| !sign.is_alphanumeric() && sign != '_').next();
                found.extend(name.map(str::to_owned));
            }
            match word.chars().last() {
                Some('{') => depth += 1,
                Some('}') => depth -= 1,
                _ => {}
            }
            if depth <= 0 {
                break;
            }
        }
    }
    found
}

/// Returns the imports of `modules`, name and text, that go against an order.
fn against(order: &BTreeMap<String, usize>, modules: &[(String, String)]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (module, text) in modules {
        let Some(own) = order.get(module) else {
            wrong.push(format!("{module} is not in the list"));
            continue;
        };
        for name in imported(&code(text)) {
            if name != *module && order.get(&name).is_some_and(|row| row >= own) {
                wrong.push(format!("{module} imports {name}"));
            }
        }
    }
    wrong
}

#[test]
fn imports_go_one_way() {
    let src = Path::new(ROOT).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let is_test = |path: &Path| {
        path.iter()
            .any(|part| part == "tests" || part == "lab" || part == "tests.rs")
    };
    let mut modules = Vec::new();
    for path in files {
        let inside = path.strip_prefix(&src).unwrap();
        let module = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        if !is_test(inside) && !["lib", "main"].contains(&module) {
            modules.push((module.to_owned(), fs::read_to_string(&path).unwrap()));
        }
    }
    assert!(modules.len() > 100, "{}", modules.len());
    let order = order();
    let there: std::collections::BTreeSet<&str> = modules.iter().map(|(module, _)| module.as_str()).collect();
    let listed: std::collections::BTreeSet<&str> = order.keys().map(String::as_str).collect();
    assert_eq!(there, listed, "the page lists what is there");
    assert_eq!(against(&order, &modules), Vec::<String>::new());
}

#[test]
fn an_import_against_the_order_is_found_however_it_is_written() {
    let order = BTreeMap::from([("low".to_owned(), 0), ("beside".to_owned(), 0), ("high".to_owned(), 1)]);
    for text in [
        "use crate::high::Thing;",
        "use crate::{low, high};",
        "use crate::{\n    low::{A, B},\n    high::C,\n};",
        "fn f() { crate::high::thing() }",
        "pub(super) use crate::high;",
        "use crate::beside::Thing;",
    ] {
        let found = against(&order, &[("low".to_owned(), text.to_owned())]);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
    }
    for text in [
        "use crate::low::{high, Other};",
        "// crate::high",
        "use crate::low::high::Thing;",
        "use crate::low;\n#[cfg(test)]\nmod tests {\n    use crate::high;\n}",
    ] {
        assert!(
            against(&order, &[("low".to_owned(), text.to_owned())]).is_empty(),
            "{text}"
        );
    }
}
