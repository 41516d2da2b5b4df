//! docs/openapi.json is the document the code describes, and describes every route. The guides say the
//! numbers and codes that hold.

use std::collections::BTreeSet;
use std::fs;

use candado::api::openapi::document;
use serde_json::Value;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");

/// `npm run openapi` sets UPDATE_OPENAPI, and then this writes the file.
#[test]
fn the_openapi_document_is_current() {
    let current = document().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        fs::write(PATH, &current).unwrap();
        println!(
            "{} paths written to docs/openapi.json",
            document().paths.paths.len()
        );
        return;
    }
    let kept = fs::read_to_string(PATH).unwrap_or_default();
    if let Some((number, (kept, current))) = kept
        .lines()
        .zip(current.lines())
        .enumerate()
        .find(|(_, (kept, current))| kept != current)
    {
        panic!(
            "docs/openapi.json is not what the code describes: run `npm run openapi`.\n\
             line {}: {kept}\n  should be: {current}",
            number + 1
        );
    }
    assert!(
        kept == current,
        "docs/openapi.json is not what the code describes: run `npm run openapi`."
    );
}

#[test]
fn every_route_is_described_with_every_method() {
    let source = include_str!("../src/api/mod.rs");
    let table: String = source
        .split("Router::new()")
        .nth(1)
        .unwrap()
        .split_whitespace()
        .collect();
    let mut routed = BTreeSet::new();
    for route in table.split(".route(\"").skip(1) {
        let (path, handlers) = route.split_once('"').unwrap();
        for method in ["get", "post", "patch", "delete", "put"] {
            let call = format!("{method}(");
            let starts = handlers.match_indices(&call).map(|(at, _)| at);
            // Where a name like `users::delete(` ends in the word it is not the routing function.
            if starts
                .into_iter()
                .any(|at| handlers[..at].ends_with([',', ')', '.']))
            {
                routed.insert(format!("{method} {path}"));
            }
        }
    }
    let document = serde_json::to_value(document()).unwrap();
    let described: BTreeSet<String> = operations(&document)
        .map(|(path, method, _)| format!("{method} {path}"))
        .collect();
    assert_eq!(described, routed);
}

#[test]
fn every_operation_has_what_a_client_needs_of_it() {
    let document = serde_json::to_value(document()).unwrap();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let name = format!("{method} {path}");
        assert!(
            ids.insert(operation["operationId"].as_str().unwrap().to_owned()),
            "{name}"
        );
        assert!(
            operation["summary"].is_string() && operation["tags"].is_array(),
            "{name}"
        );
        if let Some(contents) = operation["requestBody"]["content"].as_object() {
            assert!(
                contents
                    .values()
                    .all(|content| content["examples"].is_object()),
                "{name}"
            );
        }
        let success = operation["responses"]
            .as_object()
            .unwrap()
            .iter()
            .find(|(status, _)| status.starts_with('2'));
        let (status, success) = success.unwrap();
        let json = &success["content"]["application/json"];
        assert!(
            status == "204" || path.starts_with("/qrcode") || json["examples"].is_object(),
            "{name}"
        );
    }
}

fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().iter();
            methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
        })
}
