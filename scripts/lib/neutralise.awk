# Odoo's own neutralisation as SQL, from the facts in tests/data/odoo-neutralise.tsv: one UPDATE a table and row, one DELETE
# for what goes. The first file says what the database has: lines `odoo VERSION`, `module NAME` and `column TABLE.NAME`.
# Where Odoo would fail for want of a column, it does without.

function literal(text) {
    gsub(/\\n/, "\n", text)
    gsub(/'/, "''", text)
    return "'" text "'"
}

# Odoo names no row where it means all; what the facts call `row` then is only how the tests find theirs.
function condition(table, row,    at) {
    at = index(row, "=")
    if (!at || !(("column", table "." substr(row, 1, at - 1)) in has)) return ""
    return " WHERE \"" substr(row, 1, at - 1) "\" = " literal(substr(row, at + 1))
}

FNR == NR {
    split($0, word, " ")
    has[word[1], word[2]]
    FS = "\t"
    next
}

(("odoo", $1) in has) && (("module", $2) in has) && (("column", $3 ".id") in has) {
    key = $2 SUBSEP $3 SUBSEP $4
    if ($6 == "(gone)") {
        print "DELETE FROM \"" $3 "\"" condition($3, $4) ";"
    } else if (("column", $3 "." $5) in has) {
        value = $6 == "(null)" ? "NULL" : literal($6)
        if (!(key in sets)) order[++count] = key
        sets[key] = sets[key] (sets[key] == "" ? "" : ", ") "\"" $5 "\" = " value
    }
}

END {
    for (at = 1; at <= count; at++) {
        split(order[at], part, SUBSEP)
        print "UPDATE \"" part[2] "\" SET " sets[order[at]] condition(part[2], part[3]) ";"
    }
}
