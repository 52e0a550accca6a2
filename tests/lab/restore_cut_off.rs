//! A run that was killed between the swap of the databases and that of the filestores: whatever starts the web next makes
//! the files follow the database first.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::world::{Estate, Plan, Upstream};

/// A stack with two restores behind it.
struct Two {
    shop: Estate,
    /// The run that brought the live database.
    run: String,
    live: u64,
    previous: u64,
}

impl Two {
    fn restored(name: &'static str) -> Self {
        let shop = Plan::named(name).upstream(&Upstream::small()).make();
        shop.does(&["restore", "shop"]);
        shop.does(&["restore", "shop"]);
        let comment = shop.sql_in(
            "postgres",
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'shop'",
        );
        let is_run = |word: &&str| word.len() == 19 && word.starts_with("20") && word.as_bytes()[8] == b't';
        let mut words = comment.split(|character: char| !character.is_ascii_alphanumeric());
        let run = words
            .find(is_run)
            .unwrap_or_else(|| panic!("no run in {comment}"))
            .to_owned();
        let (live, previous) = (inode(&shop, "shop"), inode(&shop, "shop__previous"));
        assert_ne!(live, previous);
        Self {
            shop,
            run,
            live,
            previous,
        }
    }

    /// The folders follow the database, and a rollback goes to the pair that belongs together.
    fn is_finished_by_up(&self) {
        let shop = &self.shop;
        shop.does(&["up", "shop"]);
        shop.serves();
        assert_eq!(
            (inode(shop, "shop"), inode(shop, "shop__previous")),
            (self.live, self.previous)
        );
        assert_eq!(shop.filestore_names(), ["shop", "shop__previous"]);
        shop.does(&["rollback", "shop"]);
        shop.serves();
        assert_eq!(inode(shop, "shop"), self.previous);
    }
}

fn inode(shop: &Estate, name: &str) -> u64 {
    fs::metadata(shop.filestores().join(name)).unwrap().ino()
}

/// The world as such a kill leaves it: the new database, the old folder, the web stopped.
#[test]
fn up_finishes_a_swap_before_it_starts_the_web() {
    let two = Two::restored("cut-off");
    let (shop, folder) = (&two.shop, |name: &str| two.shop.filestores().join(name));
    shop.does(&["down", "shop"]);
    let own = shop.path("state/.opw-task/filestore/shop");
    let copy = own.join(format!("incoming_{}", two.run));
    fs::create_dir(&copy).unwrap();
    fs::rename(folder("shop"), copy.join("files")).unwrap();
    fs::rename(folder("shop__previous"), folder("shop")).unwrap();
    fs::write(own.join("swap"), "").unwrap();
    two.is_finished_by_up();
}

#[test]
fn a_swap_that_an_earlier_version_began_is_finished_too() {
    let two = Two::restored("cut-off-earlier");
    let (shop, folder) = (&two.shop, |name: &str| two.shop.filestores().join(name));
    shop.does(&["down", "shop"]);
    // Notes and marks lay in the filestore's folder, and the copy beside the live one.
    fs::remove_dir_all(shop.path("state/.opw-task")).unwrap();
    fs::write(folder("shop/.opw-task-run"), &two.run).unwrap();
    fs::write(folder("shop__previous/.opw-task-run"), "20260101t000000abcd").unwrap();
    fs::rename(folder("shop"), folder(&format!("shop__incoming_{}", two.run))).unwrap();
    fs::rename(folder("shop__previous"), folder("shop")).unwrap();
    fs::write(folder(".shop__retired_opw-task-swap"), "").unwrap();
    two.is_finished_by_up();
}
