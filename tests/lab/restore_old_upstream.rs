//! An upstream of PostgreSQL 15 or older, whose `pg_dump` knows levels of compression and no methods: it is asked what it
//! knows, and the copy arrives all the same.

use crate::world::{Plan, Upstream};

#[test]
fn an_upstream_that_does_not_know_the_compression_is_copied_with_one_that_it_knows() {
    let upstream = Upstream::own("old");
    let old = upstream.with_old_pg_dump();
    let shop = Plan::named("old").upstream(&upstream).make();
    shop.does(&["restore", "shop"]);
    shop.serves();

    // What it was asked for, in this order: once each with one table, until it knew what was meant.
    let asked = old.asked();
    let levels: Vec<_> = asked.iter().map(|(level, _)| level.as_str()).collect();
    assert_eq!(levels, ["lz4", "zstd:1", "1", "1"]);
    let probes: Vec<_> = asked.iter().map(|(_, line)| line.contains("--table=")).collect();
    assert_eq!(probes, [true, true, true, false]);

    for table in ["res_partner", "ir_attachment"] {
        let count = format!("SELECT count(*) FROM {table}");
        assert_eq!(shop.sql(&count), upstream.sql(&count), "{table}");
    }
    drop(shop);
    drop(old);
    upstream.drop();
}
