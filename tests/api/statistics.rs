//! Numbers for the operator: what is counted, when, and that nobody pays for it or is named by it.

use candado::flows::housekeeping::{self, Allowance};
use candado::platform::Statement;
use candado_testkit::{Answer, TestApp};
use http::Method;
use serde_json::{Value, json};

const DAY: u64 = 86_400;

async fn get(app: &TestApp, query: &str) -> Value {
    let path = format!("/admin/statistics?{query}");
    app.admin(Method::GET, &path, Value::Null).await.expect(200)
}

async fn refused(app: &TestApp, query: &str, field: &str) -> String {
    let path = format!("/admin/statistics?{query}");
    let reply = app.admin(Method::GET, &path, Value::Null).await;
    let failure = reply.fails(400, "invalid_request");
    assert_eq!(failure["field"], field, "{query}");
    failure["message"].as_str().unwrap().to_owned()
}

/// What is stored, as lines.
async fn stored(app: &TestApp) -> Vec<String> {
    let sql = "SELECT step, start, client_id, what, method, outcome, place, count FROM statistics
         ORDER BY step, start, client_id, what, method, outcome, place";
    let rows = app.db.rows(sql).await;
    let columns = [
        "step",
        "start",
        "client_id",
        "what",
        "method",
        "outcome",
        "place",
        "count",
    ];
    let line = |row: &Value| {
        let cells = columns.map(|column| match &row[column] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        cells.join(",")
    };
    rows.iter().map(line).collect()
}

fn sum(counts: &Value, list: &str, wanted: &[(&str, &str)], field: &str) -> u64 {
    let rows = counts[list].as_array().unwrap().iter();
    let fitting = rows.filter(|row| wanted.iter().all(|(name, value)| row[*name] == *value));
    fitting.map(|row| row[field].as_u64().unwrap()).sum()
}

#[tokio::test]
async fn what_happens_is_counted_by_what_it_was_and_when() {
    let app = TestApp::new().await;
    let user = json!({"user_id": "ann", "phone": "+34600111222", "email": "ann@example.com"});
    let authenticator = app.enrolled_with(user).await;
    app.register("bob").await.expect(200);
    let first = app.now();
    app.advance(3600);
    app.guess_right("ann", &authenticator).await.expect(200);
    app.guess_right("ann", &authenticator)
        .await
        .fails(400, "code_already_used");
    app.sms("ann").await.expect(200);
    app.verify("ann", &app.outbox.last().code())
        .await
        .expect(200);
    app.email("ann").await.expect(200);
    app.guess_wrong("ann", &authenticator, 1).await;
    let bodies = (0..5).map(|_| json!({"user_id": "ann", "code": "000000", "method": "totp"}));
    for body in bodies {
        app.post("/mfa/verify", body).await;
    }
    let told = get(&app, "step=300").await;
    assert_eq!(
        (&told["complete"], &told["users"]),
        (&json!(true), &json!(2))
    );
    assert_eq!(
        told["locked"],
        json!({"totp": 1, "delivered": 0, "recovery": 0})
    );
    assert_eq!(told["clients"], json!([]));
    let [begin, later] = &told["buckets"].as_array().unwrap()[..] else {
        panic!("{told}")
    };
    assert_eq!(begin["at"], first - first % 300);
    assert_eq!(begin["enrolments"], json!({"begun": 2, "finished": 1}));
    assert_eq!(begin["verifications"], json!([]));
    assert_eq!(later["at"].as_u64().unwrap(), app.now() - app.now() % 300);
    assert_eq!(later["client_id"], Value::Null);
    assert_eq!(later["enrolments"], json!({"begun": 0, "finished": 0}));
    let verified = |method| {
        sum(
            later,
            "verifications",
            &[("method", method), ("outcome", "verified")],
            "count",
        )
    };
    assert_eq!(
        (verified("totp"), verified("sms"), verified("email")),
        (1, 1, 0)
    );
    let failed = sum(
        later,
        "verifications",
        &[("class", "totp"), ("outcome", "failed")],
        "count",
    );
    assert_eq!(failed, 5);
    assert_eq!(
        sum(later, "verifications", &[("outcome", "replayed")], "count"),
        1
    );
    assert_eq!(later["locks"], json!([{"class": "totp", "count": 1}]));
    let message = |channel: &str, country: Value, verified: u64| {
        json!({
            "channel": channel, "country": country, "range": null,
            "sent": 1, "failed": 0, "refused": 0, "verified": verified,
        })
    };
    let messages = [
        message("email", Value::Null, 0),
        message("sms", json!("ES"), 1),
    ];
    assert_eq!(later["messages"], json!(messages));
    let calls = later["provider_calls"].as_array().unwrap();
    let calls: Vec<_> = calls
        .iter()
        .map(|it| (&it["provider"], &it["count"]))
        .collect();
    assert_eq!(
        calls,
        [
            (&json!("sendgrid"), &json!(1)),
            (&json!("twilio"), &json!(1))
        ]
    );
    assert_eq!(told["total"]["enrolments"], begin["enrolments"]);
    assert_eq!(told["total"]["messages"], later["messages"]);
    app.advance(60);
    assert_eq!(get(&app, "").await["locked"]["totp"], 0);
}

/// What a verification cost before there were statistics is what it costs now: the statements of its batch, and what
/// they change, are those of decision 22.
#[tokio::test]
async fn a_verification_writes_the_account_and_its_event_and_a_delivered_code_one_count_more() {
    let app = TestApp::with_ann().await;
    let authenticator = app.enrolled("bob").await;
    app.advance(30);
    let tables = |app: &TestApp| -> Vec<String> {
        let batch = app.db.last_batch();
        let first = |statement: &Statement| {
            let mut words = statement.sql.split_whitespace();
            let of = |word: &&str| !["INSERT", "INTO", "UPDATE"].contains(word);
            words.find(of).unwrap().to_owned()
        };
        let writes = batch.iter().filter(|it| !it.sql.starts_with("SELECT"));
        writes.map(first).collect()
    };
    app.guess_right("bob", &authenticator).await.expect(200);
    assert_eq!(tables(&app), ["accounts", "audit_log"]);
    app.verify("bob", &authenticator.wrong(app.now()))
        .await
        .fails(400, "invalid_code");
    assert_eq!(tables(&app), ["accounts", "audit_log"]);
    let sent = app.sms("ann").await;
    sent.expect(200);
    let code = app.outbox.last().code();
    app.db.trips();
    app.verify("ann", &code).await.expect(200);
    assert_eq!(app.db.trips(), 2);
    assert_eq!(tables(&app), ["accounts", "statistics", "audit_log"]);
}

#[tokio::test]
async fn what_could_not_be_stored_is_not_counted() {
    let app = TestApp::with_ann().await;
    let sends = (0..3).map(|_| app.sms("ann"));
    let replies = futures_util::future::join_all(sends).await;
    let sent = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(sent, 1, "the others lost the swap, or met the cooldown");
    let code = app.outbox.last().code();
    let verify = || app.verify("ann", &code);
    let replies = futures_util::future::join_all((0..4).map(|_| verify())).await;
    assert_eq!(replies.iter().filter(|it| it.status == 200).count(), 1);
    let total = &get(&app, "").await["total"];
    let of_sms = |field| {
        sum(
            total,
            "messages",
            &[("channel", "sms"), ("country", "ES")],
            field,
        )
    };
    assert_eq!((of_sms("sent"), of_sms("verified")), (1, 1));
    let verified = [("method", "sms"), ("outcome", "verified")];
    assert_eq!(sum(total, "verifications", &verified, "count"), 1);
}

#[tokio::test]
async fn a_message_counts_where_it_was_sent_though_its_code_comes_later() {
    let app = TestApp::with_ann().await;
    app.advance(300 - app.now() % 300 - 1);
    let sent_in = app.now() - app.now() % 300;
    app.sms("ann").await.expect(200);
    app.advance(2);
    app.verify("ann", &app.outbox.last().code())
        .await
        .expect(200);
    let told = get(&app, "step=300").await;
    let buckets = told["buckets"].as_array().unwrap();
    let of = |at: u64| buckets.iter().find(|it| it["at"] == at).unwrap();
    assert_eq!(of(sent_in)["messages"][0]["verified"], 1);
    assert_eq!(of(sent_in + 300)["messages"], json!([]));
    let verified = [("method", "sms"), ("outcome", "verified")];
    assert_eq!(
        sum(of(sent_in + 300), "verifications", &verified, "count"),
        1
    );
}

#[tokio::test]
async fn what_a_provider_did_not_take_failed_and_its_call_is_counted_as_one() {
    let app = TestApp::with_ann().await;
    app.outbox.answer([Answer::Status(400, &[], "{}")]);
    app.sms("ann").await.fails(502, "delivery_failed");
    app.outbox
        .answer([Answer::Status(429, &[], ""), Answer::Status(201, &[], "{}")]);
    app.advance(60);
    app.sms("ann").await.expect(200);
    let total = &get(&app, "").await["total"];
    let message = &total["messages"][0];
    assert_eq!(
        (&message["sent"], &message["failed"]),
        (&json!(1), &json!(1))
    );
    let calls = &total["provider_calls"][0];
    assert_eq!(
        (&calls["count"], &calls["failures"]),
        (&json!(3), &json!(2))
    );
    assert_eq!(
        (&calls["p50_ms"], &calls["p95_ms"]),
        (&json!(10), &json!(10))
    );
}

/// A count is part of its batch, or comes after the answer: where it cannot be kept, a message is out all the same.
#[tokio::test]
async fn a_count_that_is_lost_after_the_answer_costs_nobody_a_message() {
    let app = TestApp::with_ann().await;
    app.db.fail_at(2, false);
    app.sms("ann").await.expect(200);
    assert!(!app.db.has_fault_left(), "the third call was the count");
    app.verify("ann", &app.outbox.last().code())
        .await
        .expect(200);
    let total = &get(&app, "").await["total"];
    assert_eq!(total["provider_calls"], json!([]));
    assert_eq!(sum(total, "messages", &[("channel", "sms")], "verified"), 1);
}

#[tokio::test]
async fn atk_108_test_clients_never_count() {
    let app = TestApp::new().await;
    let body = json!({"name": "Tests", "client_id": "test_shop", "test": true});
    let made = app
        .admin(Method::POST, "/admin/clients", body)
        .await
        .expect(201);
    let token = app
        .token_for("test_shop", made["client_secret"].as_str().unwrap())
        .await;
    let user = json!({"user_id": "ann", "phone": "+34600111222"});
    app.post_as(&token, "/mfa/register", user).await.expect(200);
    app.post_as(&token, "/mfa/sms", json!({"user_id": "ann"}))
        .await;
    let guess = json!({"user_id": "ann", "code": "000000"});
    for _ in 0..5 {
        app.post_as(&token, "/mfa/verify", guess.clone()).await;
    }
    let told = get(&app, "group_by=client").await;
    assert_eq!((&told["buckets"], &told["users"]), (&json!([]), &json!(0)));
    assert_eq!(
        told["locked"],
        json!({"totp": 0, "delivered": 0, "recovery": 0})
    );
    assert_eq!(told["clients"][0]["client_id"], "shop");
    assert_eq!(stored(&app).await, [""; 0]);
}

#[tokio::test]
async fn clients_are_told_apart_on_request_and_one_alone() {
    let app = TestApp::new().await;
    let token = app.new_client("other", json!({})).await;
    for user in ["ann", "bob"] {
        app.register(user).await.expect(200);
    }
    app.post_as(&token, "/mfa/register", json!({"user_id": "ann"}))
        .await
        .expect(200);
    let told = get(&app, "group_by=client&step=86400").await;
    let begun = |bucket: &Value| {
        (
            bucket["client_id"].clone(),
            bucket["enrolments"]["begun"].clone(),
        )
    };
    let buckets: Vec<_> = told["buckets"]
        .as_array()
        .unwrap()
        .iter()
        .map(begun)
        .collect();
    assert_eq!(
        buckets,
        [(json!("other"), json!(1)), (json!("shop"), json!(2))]
    );
    assert_eq!(told["total"]["enrolments"]["begun"], 3);
    let users: Vec<_> = told["clients"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["users"].clone())
        .collect();
    assert_eq!(users, [json!(1), json!(2)]);
    let one = get(&app, "client_id=other").await;
    assert_eq!(
        (&one["users"], &one["buckets"][0]["enrolments"]["begun"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(get(&app, "client_id=nobody").await["buckets"], json!([]));
}

#[tokio::test]
async fn each_event_is_counted_once_whoever_counts_and_however_often() {
    let app = TestApp::new().await;
    for n in 0..30 {
        app.register(&format!("u{n}")).await.expect(200);
    }
    let reads = (0..6).map(|_| get(&app, ""));
    let told = futures_util::future::join_all(reads).await;
    assert!(told.iter().all(|it| it["complete"] == true));
    app.housekeep().await;
    app.housekeep().await;
    assert_eq!(get(&app, "").await["total"]["enrolments"]["begun"], 30);
}

#[tokio::test]
async fn old_buckets_become_hours_and_days_and_the_sums_stay() {
    let app = TestApp::with_ann().await;
    let begin = app.now();
    for _ in 0..6 {
        app.sms("ann").await.expect(200);
        app.verify("ann", &app.outbox.last().code())
            .await
            .expect(200);
        app.advance(1800);
    }
    let all = || async {
        let query = format!("step=86400&from={begin}&to={}", begin + 2 * DAY);
        get(&app, &query).await["total"].clone()
    };
    let before = all().await;
    assert_eq!(
        sum(&before, "messages", &[("channel", "sms")], "verified"),
        6
    );
    let steps = async || -> Vec<u64> {
        let rows = app
            .db
            .rows("SELECT DISTINCT step FROM statistics ORDER BY step")
            .await;
        rows.iter()
            .map(|row| row["step"].as_u64().unwrap())
            .collect()
    };
    app.housekeep().await;
    assert_eq!(steps().await, [300]);
    for (days, expected) in [(4, 3600), (60, DAY)] {
        app.advance(days * DAY);
        app.housekeep().await;
        assert_eq!(steps().await, [expected]);
        assert_eq!(all().await, before, "{days}");
    }
    app.advance(740 * DAY);
    app.housekeep().await;
    assert_eq!(steps().await, [0; 0]);
    assert_eq!(stored(&app).await, [""; 0]);
}

#[tokio::test]
async fn two_jobs_at_once_put_no_bucket_together_twice() {
    let app = TestApp::with_ann().await;
    app.sms("ann").await.expect(200);
    app.verify("ann", &app.outbox.last().code())
        .await
        .expect(200);
    get(&app, "").await;
    app.advance(5 * DAY);
    let jobs = (0..4).map(|_| app.housekeep());
    futures_util::future::join_all(jobs).await;
    let lines = stored(&app).await;
    assert!(!lines.is_empty());
    for line in lines {
        assert!(line.starts_with("3600,") && line.ends_with(",1"), "{line}");
    }
}

#[tokio::test]
async fn a_job_that_is_cut_off_goes_on_where_it_was() {
    let app = TestApp::new().await;
    for n in 0..3 {
        app.register(&format!("u{n}")).await.expect(200);
    }
    let nothing = Allowance {
        milliseconds: 1,
        statements: 2,
    };
    housekeeping::run(&app.app, nothing).await.unwrap();
    assert_eq!(stored(&app).await, [""; 0]);
    for call in 0..4 {
        app.db.fail_at(call, true);
        let allowance = Allowance {
            milliseconds: 1,
            statements: u32::MAX,
        };
        let _ = housekeeping::run(&app.app, allowance).await;
        app.db.has_fault_left();
    }
    assert_eq!(get(&app, "").await["total"]["enrolments"]["begun"], 3);
}

#[tokio::test]
async fn log_06_nothing_stored_or_told_names_a_user_or_a_number() {
    let app = TestApp::new().await;
    for n in 0..12 {
        let user = json!({"user_id": format!("user-{n}"), "phone": format!("+346001112{n:02}"), "email": format!("u{n}@example.com")});
        app.enrolled_with(user).await;
        app.sms(&format!("user-{n}")).await.expect(200);
        app.email(&format!("user-{n}")).await.expect(200);
    }
    app.enrolled_with(json!({"user_id": "alone", "phone": "+447400123456"}))
        .await;
    app.sms("alone").await;
    let mut told = String::new();
    for query in [
        "step=300",
        "step=3600",
        "step=86400",
        "step=86400&group_by=client",
    ] {
        told += &get(&app, query).await.to_string();
    }
    let kept = stored(&app).await.join("\n");
    for text in [&told, &kept] {
        for name in ["user-", "alone", "@", "example.com", "600111", "7400123"] {
            assert!(!text.contains(name), "{name} in {text}");
        }
    }
    assert!(kept.contains("message,sms,asked,ES 34600,"), "{kept}");
    let by_day = get(&app, "step=86400").await;
    let by_hour = get(&app, "step=3600").await;
    let ranges = |told: &Value| -> Vec<Value> {
        let messages = told["total"]["messages"].as_array().unwrap().iter();
        messages
            .map(|it| it["range"].clone())
            .filter(|it| !it.is_null())
            .collect()
    };
    assert_eq!(ranges(&by_day), [json!("34600")]);
    assert!(ranges(&by_hour).is_empty());
}

#[tokio::test]
async fn a_question_too_large_is_refused_with_what_to_do() {
    let app = TestApp::new().await;
    let now = app.now();
    let days = |n: u64| now - n * DAY;
    for (query, field, hint) in [
        ("step=60".to_owned(), "step", "300, 3600 or 86400"),
        ("group_by=user".to_owned(), "group_by", "client"),
        (format!("from={now}&to={}", days(1)), "to", "after from"),
        (
            format!("from={}&step=300", days(3) + 10_000 - 20_000),
            "from",
            "3 days",
        ),
        (
            format!("from={}&step=3600&to={}", days(70), days(65)),
            "from",
            "60 days",
        ),
        (
            format!("from={}&step=3600", days(50)),
            "from",
            "More than 1000 buckets",
        ),
        ("from=x".to_owned(), "from", "number"),
        ("client_id=%00".to_owned(), "client_id", "Expected"),
    ] {
        let message = refused(&app, &query, field).await;
        assert!(message.contains(hint), "{query}: {message}");
    }
    get(&app, &format!("from={}&step=300&to={now}", days(3))).await;
    get(&app, &format!("from={}&step=86400", days(900))).await;
    let reply = app.get("/admin/statistics").await;
    reply.fails(401, "invalid_token");
}

#[tokio::test]
async fn a_question_goes_to_its_buckets_and_reads_no_other() {
    let app = TestApp::on_sqlite().await;
    for query in ["", "step=86400&client_id=shop", "step=300&group_by=client"] {
        get(&app, query).await;
        let steps = app.db.plan_of_last().await;
        let seek = "SEARCH statistics USING PRIMARY KEY (step=? AND start>? AND start<?)";
        assert!(steps.contains(seek), "{query}: {steps}");
    }
}

/// `CANDADO_MEASURE=1 cargo test --release --test api a_day_of_a_million -- --nocapture` says how long counting and
/// reading take. It fills a million rows, so it is left out otherwise.
#[tokio::test]
async fn a_day_of_a_million_events_is_counted_in_chunks_and_read_at_once() {
    if std::env::var_os("CANDADO_MEASURE").is_none() {
        return;
    }
    let app = TestApp::on_sqlite().await;
    let begin = app.now() - DAY;
    let fill = format!(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1000000)
         INSERT INTO audit_log (at, client_id, user_id, event, outcome, method, request_id, detail)
         SELECT {begin} + n * 86400 / 1000001, 'shop', printf('7c2f1c1e-4a55-4c6e-9f5a-%012d', n % 50000),
         CASE WHEN n % 100 = 0 THEN 'locked' WHEN n % 10 = 1 THEN 'failed' ELSE 'verified' END, 'success',
         CASE WHEN n % 10 = 1 OR n % 100 = 0 THEN NULL WHEN n % 3 = 0 THEN 'sms' ELSE 'totp' END,
         printf('%032x', n), '{{\"class\":\"totp\"}}' FROM n"
    );
    app.db.execute(fill).await;
    let started = tokio::time::Instant::now();
    app.housekeep().await;
    println!(
        "{:>9.1} ms  a million events counted",
        started.elapsed().as_secs_f64() * 1000.0
    );
    let mut slowest = 0;
    for query in [
        "step=300",
        "step=300&group_by=client",
        "step=3600",
        "step=86400",
        "client_id=shop",
    ] {
        let started = tokio::time::Instant::now();
        let told = get(&app, query).await;
        let took = started.elapsed();
        println!("{:>9.1} ms  {query}", took.as_secs_f64() * 1000.0);
        slowest = slowest.max(took.as_millis());
        if query == "step=300" {
            let total = &told["total"];
            assert_eq!(
                sum(total, "verifications", &[], "count") + sum(total, "locks", &[], "count"),
                1_000_000
            );
        }
    }
    assert!(slowest < 1000, "{slowest}");
}
