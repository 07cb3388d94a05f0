//! What becomes of messages where the broker returns them or refuses everything, and what operators are told.

use crate::queue_contract::{amqp, event, message, settings};
use crate::support::fleet::fixtures;
use crate::support::rabbitmq::Rabbit;
use crate::support::wait::until;
use lapin::options::{QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties};
use presswork::edge::queue::amqp::AmqpSettings;
use presswork::edge::queue::topology::Names;
use presswork::edge::queue::{Dead, Event, Message, Queue, Trouble};
use presswork::error::Code;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// Less than anybody's patience.
const AT_ONCE: Duration = Duration::from_secs(8);

async fn channel(rabbit: &Rabbit) -> (Connection, Channel) {
    let connection = Connection::connect(&rabbit.url(), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    (connection, channel)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_the_broker_returns_or_refuses() {
    let rabbit = Rabbit::start();
    what_nobody_takes_is_never_taken_for_safe(&rabbit).await;
    a_queue_that_was_deleted_is_declared_again(&rabbit).await;
    a_refusal_is_told_at_once_with_its_reason(&rabbit).await;
    a_queue_of_another_kind_is_told(&rabbit).await;
    a_right_that_is_missing_costs_no_connection(&rabbit).await;
    a_fleet_needs_rights_to_what_is_its_own(&rabbit).await;
    names_that_are_too_long_break_nothing(&rabbit).await;
    operators_do_not_wait_for_what_will_not_change(&rabbit).await;
}

/// Those that somebody takes and those that nobody takes, all at the same time.
async fn what_nobody_takes_is_never_taken_for_safe(rabbit: &Rabbit) {
    let (queue, metrics) = amqp(AmqpSettings { results_queue: false, ..settings(rabbit, "returned") });
    assert_eq!(queue.reaped().await.unwrap(), 0);
    let (_connection, channel) = channel(rabbit).await;
    let none = FieldTable::default;
    channel.queue_declare("heard".into(), QueueDeclareOptions::default(), none()).await.unwrap();
    let (results, key) = ("returned.results".into(), "presswork.render.completed".into());
    channel.queue_bind("heard".into(), results, key, QueueBindOptions::default(), none()).await.unwrap();
    const ROUNDS: u64 = 8;
    const EACH: u64 = 32;
    for round in 0..ROUNDS {
        let send = |i: u64| {
            let queue = queue.clone();
            let kind =
                if i.is_multiple_of(2) { "presswork.render.completed" } else { "presswork.render.failed" };
            let event = Event { kind: kind.into(), ..event(&format!("e{round}-{i}")) };
            (i, tokio::spawn(async move { queue.publish(&event).await }))
        };
        for (i, sent) in (0..EACH).map(send).collect::<Vec<_>>() {
            let sent = sent.await.unwrap();
            let expected = if i.is_multiple_of(2) { Ok(()) } else { Err(Code::QueueRefused) };
            assert_eq!(sent.map_err(|violation| violation.code), expected, "{i} in round {round}");
        }
    }
    let counted = |outcome| metrics.confirms.with_label_values(&[outcome]).get();
    assert_eq!((counted("ack"), counted("returned")), (ROUNDS * EACH / 2, ROUNDS * EACH / 2));
}

fn dead(class: &str, body: impl Into<bytes::Bytes>) -> Dead {
    let message = Message { body: body.into(), ..message("") };
    Dead { message, class: class.into(), code: "render.crashed".into(), died_at_ms: 1 }
}

async fn a_queue_that_was_deleted_is_declared_again(rabbit: &Rabbit) {
    let (queue, metrics) = amqp(settings(rabbit, "deleted"));
    queue.bury(&dead("rush", "1")).await.unwrap();
    let (_connection, channel) = channel(rabbit).await;
    for name in ["deleted.dead", "deleted.results"] {
        channel.queue_delete(name.into(), QueueDeleteOptions::default()).await.unwrap();
    }
    assert_eq!(queue.bury(&dead("rush", "2")).await.unwrap_err().code, Code::QueueRefused);
    queue.bury(&dead("rush", "3")).await.unwrap();
    queue.publish(&event("e1")).await.unwrap();
    assert_eq!(queue.exhume(10, &mut |_| false).await.unwrap(), 1);
    let reconnects: u64 = ["error", "connection", "consume"]
        .map(|why| metrics.reconnects.with_label_values(&[why]).get())
        .iter()
        .sum();
    assert_eq!(reconnects, 0, "that costs no connection");
}

async fn a_refusal_is_told_at_once_with_its_reason(rabbit: &Rabbit) {
    for (url, reason) in [
        (rabbit.url().replace("guest:guest", "guest:wrong"), "ACCESS_REFUSED"),
        (rabbit.url().replace("/%2f", "/nowhere"), "nowhere"),
    ] {
        let begin = Instant::now();
        let (queue, metrics) =
            amqp(AmqpSettings { url, patience: AT_ONCE * 4, ..settings(rabbit, "refused") });
        let wrong = queue.enqueue("rush", &message("x")).await.unwrap_err();
        assert_eq!(wrong.code, Code::QueueRefused, "{wrong}");
        assert!(wrong.detail.contains(reason), "{wrong}");
        assert!(begin.elapsed() < AT_ONCE, "{wrong}");
        assert_eq!(queue.trouble(), Some(Trouble::Refused));
        assert!(metrics.reconnects.with_label_values(&["refused"]).get() >= 1);
    }
}

async fn a_queue_of_another_kind_is_told(rabbit: &Rabbit) {
    let (_connection, channel) = channel(rabbit).await;
    let foreign = QueueDeclareOptions { durable: true, ..Default::default() };
    channel.queue_declare("foreign.dead".into(), foreign, FieldTable::default()).await.unwrap();
    let (queue, metrics) = amqp(settings(rabbit, "foreign"));
    let wrong = queue.enqueue("rush", &message("x")).await.unwrap_err();
    assert!(wrong.code == Code::QueueRefused && wrong.detail.contains("foreign.dead"), "{wrong}");
    assert_eq!(queue.trouble(), Some(Trouble::Topology));
    assert!(metrics.reconnects.with_label_values(&["topology"]).get() >= 1);
    // It goes on by itself once somebody has made room.
    channel.queue_delete("foreign.dead".into(), QueueDeleteOptions::default()).await.unwrap();
    until("a connection", || queue.trouble().is_none());
}

/// Another connection would hear the same, and hand out again what this one holds.
async fn a_right_that_is_missing_costs_no_connection(rabbit: &Rabbit) {
    let (queue, metrics) = amqp(settings(rabbit, "rights"));
    queue.enqueue("rush", &message("x")).await.unwrap();
    rabbit.control(&["set_permissions", "guest", ".*", "^$", ".*"]);
    let wrong = queue.publish(&event("e1")).await.unwrap_err();
    assert!(wrong.code == Code::QueueRefused && wrong.detail.contains("ACCESS_REFUSED"), "{wrong}");
    rabbit.control(&["set_permissions", "guest", ".*", ".*", ".*"]);
    // The broker remembers what it allowed a channel; another one is asked again.
    queue.publish(&event("e1")).await.unwrap();
    let reconnects: u64 = ["error", "connection", "consume"]
        .map(|why| metrics.reconnects.with_label_values(&[why]).get())
        .iter()
        .sum();
    assert_eq!(reconnects, 0);
}

const OWN: &str = "^own\\.";

async fn a_fleet_needs_rights_to_what_is_its_own(rabbit: &Rabbit) {
    rabbit.control(&["set_permissions", "guest", OWN, OWN, OWN]);
    let (queue, _) = amqp(settings(rabbit, "own"));
    queue.enqueue("rush", &message("x")).await.unwrap();
    queue.enqueue_later("rush", &message("x"), 0).await.unwrap();
    queue.publish(&event("e1")).await.unwrap();
    queue.bury(&dead("rush", "1")).await.unwrap();
    assert_eq!(queue.exhume(10, &mut |_| false).await.unwrap(), 1);
    rabbit.control(&["set_permissions", "guest", ".*", ".*", ".*"]);
}

async fn names_that_are_too_long_break_nothing(rabbit: &Rabbit) {
    let (queue, _) = amqp(AmqpSettings { names: Names::new("n".repeat(300)), ..settings(rabbit, "") });
    until("an answer", || queue.trouble() == Some(Trouble::Topology));
    let (queue, _) = amqp(settings(rabbit, "long"));
    assert_eq!(queue.enqueue(&"c".repeat(300), &message("x")).await.unwrap_err().code, Code::QueueRefused);
    queue.enqueue("rush", &message("x")).await.unwrap();
}

fn run(url: &str, arguments: &[&str]) -> (Output, Duration) {
    let begin = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_presswork"));
    command
        .args(arguments)
        .env_clear()
        .env("PRESSWORK_AMQP_URL", url)
        .env("PRESSWORK_AMQP_QUEUE", "operator");
    (command.output().unwrap(), begin.elapsed())
}

async fn operators_do_not_wait_for_what_will_not_change(rabbit: &Rabbit) {
    let order = fixtures().join("orders/mug-name-customized.json");
    let enqueue = ["enqueue", order.to_str().unwrap()];
    let (output, took) = run(&rabbit.url().replace("guest:guest", "guest:wrong"), &enqueue);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("ACCESS_REFUSED"), "{said}");
    assert!(took < AT_ONCE && said.lines().count() < 8, "{took:?}: {said}");

    assert!(run(&rabbit.url(), &enqueue).0.status.success());
    let (queue, _) = amqp(settings(rabbit, "operator"));
    let body = std::fs::read(&order).unwrap();
    for class in ["gone", "gone", "rush"] {
        queue.bury(&dead(class, body.clone())).await.unwrap();
    }
    // Other delays have other names: the program's own are declared beside them.
    let (output, took) = run(&rabbit.url(), &["dead", "replay"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.matches("an order of class \"gone\" stays").count(), 2, "{said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1 orders enqueued again\n");
    assert!(!output.status.success() && took < AT_ONCE, "{took:?}: {said}");
    // What came back is in nobody's log.
    assert!(!said.contains("Server returned"), "{said}");
}
