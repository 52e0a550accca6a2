//! What a dry run prints does the same as a swap.

use super::*;

/// The catalogue's entries of a live database and what stands beside it, under names that are the same for all of them.
async fn catalogue(lab: &Lab) -> Vec<String> {
    let session = lab.server.connect_maintenance().await.unwrap();
    let rows = session
        .query(
            "SELECT format('%s|%s|%s|%s|%s|%s|%s|%s', replace(d.datname, $1, 'NAME'), pg_get_userbyid(d.datdba), d.datistemplate,
                           d.datallowconn, d.datconnlimit, d.datacl, s.settings,
                           regexp_replace(shobj_description(d.oid, 'pg_database'), '\"since\":\"[^\"]*\"', ''))
               FROM pg_database d
               LEFT JOIN (SELECT setdatabase, array_agg(format('%s %s', setrole::regrole, setconfig) ORDER BY setrole) AS settings
                            FROM pg_db_role_setting GROUP BY setdatabase) s ON s.setdatabase = d.oid
              WHERE starts_with(d.datname, $1) ORDER BY d.datname",
            &[&lab.live],
        )
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// The script that was printed, typed.
async fn typed(lab: &Lab, script: &str) {
    lab.server
        .connect_maintenance()
        .await
        .unwrap()
        .batch_execute(script)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_printed_script_of_a_swap_does_what_the_swap_does() {
    let mut found = Vec::new();
    for (live, by_hand) in [("lab_ran", false), ("lab_typed", true)] {
        let lab = Lab::serving(live).await;
        let Restored { lock, role, incoming } = lab.restored("r1", "new").await;
        let names = lock.names().clone();
        if by_hand {
            incoming.park().await.unwrap();
            drop(incoming);
            typed(&lab, &activation_script(&names, "r1", "odoo", "opw-prod").unwrap()).await;
        } else {
            activate(&lab.server, &lock, Assumed(incoming), LIMIT).await.unwrap();
        }
        let swapped = catalogue(&lab).await;
        assert_eq!(lab.reads(live).await.unwrap(), "new");
        if by_hand {
            typed(&lab, &rollback_script(&names, "r1").unwrap()).await;
        } else {
            rollback(&lab.server, &lock, LIMIT).await.unwrap();
        }
        assert_eq!(lab.reads(live).await.unwrap(), "old");
        role.end().await.unwrap();
        // The run and the source are in words: the script cannot know them.
        let back: Vec<String> = catalogue(&lab).await.iter().map(|row| unnamed(row)).collect();
        found.push((swapped, back));
    }
    assert_eq!(found[0], found[1]);
    assert!(
        found[0].0.len() == 2 && found[0].0[0].starts_with("NAME|odoo|f|t"),
        "{found:?}"
    );
}

/// A row without the run and the source of its comment.
fn unnamed(row: &str) -> String {
    let row = row.replace("\"run\":\"r1\"", "\"run\":\"\"");
    row.replace("\"source\":\"opw-prod\"", "\"source\":\"\"")
}
