//! A run that was killed between the swap of the databases and that of the filestores: whatever starts the web next makes
//! the files follow the database first.

use std::fs;

use crate::world::{Plan, Upstream};

/// The run that a filestore says it came with.
fn mark(folder: &std::path::Path) -> String {
    fs::read_to_string(folder.join(".opw-task-run")).unwrap_or_default()
}

#[test]
fn up_finishes_a_swap_before_it_starts_the_web() {
    let shop = Plan::named("cut-off").upstream(&Upstream::small()).make();
    shop.does(&["restore", "shop"]);
    let first = mark(&shop.filestores().join("shop"));
    shop.does(&["restore", "shop"]);
    let second = mark(&shop.filestores().join("shop"));
    assert_ne!(first, second);

    // The world as such a kill leaves it: the new database, the old folder, the web stopped.
    shop.does(&["down", "shop"]);
    let folder = |name: &str| shop.filestores().join(name);
    fs::rename(folder("shop"), folder(&format!("shop__incoming_{second}"))).unwrap();
    fs::rename(folder("shop__previous"), folder("shop")).unwrap();
    fs::write(folder(".shop__retired_opw-task-swap"), "").unwrap();

    shop.does(&["up", "shop"]);
    shop.serves();
    assert_eq!(mark(&folder("shop")), second);
    assert_eq!(mark(&folder("shop__previous")), first);
    assert_eq!(shop.filestore_names(), ["shop", "shop__previous"]);

    // And a rollback goes to the pair that belongs together.
    shop.does(&["rollback", "shop"]);
    shop.serves();
    assert_eq!(mark(&folder("shop")), first);
}
