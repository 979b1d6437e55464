//! The rules of ARCHITECTURE.md, enforced: who may name whom, who owns which dependency, what the
//! schema is made of, and that the papers name what exists.
//!
//! Each rule is a function from files to complaints, so that beside the test that the crate keeps
//! it stands one that a breach is noticed.
#![allow(
    clippy::expect_used,
    reason = "a test that cannot go on fails, and says why"
)]

mod papers;
mod rules;
mod schema;
mod source;

use source::files;

#[track_caller]
fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn modules_name_only_what_is_below_them() {
    assert_none(&rules::upward_names(&files("src", ".rs")));
}

#[test]
fn every_dependency_has_an_owner() {
    assert_none(&rules::foreign_dependencies(&files("src", ".rs")));
    assert_none(&rules::unowned_dependencies());
}

#[test]
fn the_vocabulary_does_no_io_and_knows_no_clock() {
    assert_none(&rules::impurities(&files("src/oidc", ".rs")));
}

#[test]
fn there_is_no_global_state() {
    assert_none(&rules::globals(&files("src", ".rs")));
}

#[test]
fn only_templates_produce_html() {
    assert_none(&rules::markup(&files("src", ".rs")));
}

#[test]
fn only_the_configuration_reads_the_environment() {
    assert_none(&rules::environment(&files("src", ".rs")));
}

#[test]
fn no_file_is_too_long_to_read() {
    let mut all = files("src", ".rs");
    all.extend(files("tests", ".rs"));
    assert_none(&rules::long_files(&all));
}

#[test]
fn every_file_says_what_it_is() {
    let mut all = files("src", ".rs");
    all.extend(files("tests", ".rs"));
    assert_none(&rules::untitled_files(&all));
}

#[test]
fn nothing_is_left_for_later() {
    let mut all = files("src", ".rs");
    all.extend(files("tests", ".rs"));
    assert_none(&rules::leftovers(&all));
}

#[test]
fn every_query_is_literal_sql() {
    assert_none(&rules::built_queries(&files("src", ".rs")));
}

#[test]
fn every_store_function_is_in_the_conformance_suite() {
    let suite = files("tests/store", ".rs");
    assert_none(&rules::untested_queries(&files("src/store", ".rs"), &suite));
}

#[test]
fn the_schema_means_the_same_to_both_databases() {
    assert_none(&schema::unportable(&files("migrations", ".sql")));
}

#[test]
fn what_the_papers_name_exists() {
    assert_none(&papers::dangling());
}

#[test]
fn every_row_of_the_specifications_names_a_test_that_exists() {
    assert_none(&papers::untested_rows());
}
