//! Workers that are told to end as soon as they have begun, again and again, while orders wait: whatever the
//! moment, no consumer is left that would be given the same orders until these count as deadly.

use crate::support::faults::scrambled;
use crate::support::fleet::Fleet;
use crate::support::judge::{Account, Fate, judge, listen, rest};
use crate::support::tiny::{Kind, Tiny, texts};
use crate::support::wait::until;
use lapin::options::BasicGetOptions;
use lapin::types::AMQPValue;
use lapin::{Connection, ConnectionProperties};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

const CLASSES: usize = 8;
/// Orders of each class; a worker holds all of them at once.
const ORDERS: usize = 5;
const RESTARTS: u64 = 20;
const DRAIN: Duration = Duration::from_secs(10);
/// What a process may take to end, past its drain.
const MARGIN: Duration = Duration::from_secs(1);

fn settled(tiny: &Tiny, command: &mut Command) {
    let classes: Vec<String> = (0..CLASSES).map(|class| format!("class{class}=1")).collect();
    tiny.settle(command);
    command
        .env("PRESSWORK_CLASSES", classes.join(","))
        .env("PRESSWORK_AMQP_PREFETCH", ORDERS.to_string())
        .env("PRESSWORK_CONSUMER_TIMEOUT", "80000")
        .env("PRESSWORK_DRAIN_TIMEOUT", DRAIN.as_secs().to_string());
}

/// The most deliveries that any waiting order of these classes has had.
async fn most_deliveries(fleet: &Fleet) -> i64 {
    let connection = Connection::connect(&fleet.rabbit.url(), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let mut most = 0;
    for class in 0..CLASSES {
        let queue = format!("presswork.orders.class{class}");
        while let Some(got) =
            channel.basic_get(queue.as_str().into(), BasicGetOptions::default()).await.unwrap()
        {
            let headers = got.delivery.properties.headers().clone().unwrap_or_default();
            let count = headers.inner().get("x-delivery-count").cloned();
            most = most.max(match count {
                Some(AMQPValue::LongLongInt(count)) => count,
                Some(other) => panic!("{other:?}"),
                None => 0,
            });
        }
    }
    // What was taken here goes back with the connection.
    connection.close(200, "".into()).await.unwrap();
    most
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ending_while_consumers_are_set_up_harms_no_order() {
    let fleet = Fleet::start().await;
    let tiny = Tiny::open(&fleet).await;
    let mut account = Account::default();
    for class in 0..CLASSES {
        let orders: Vec<PathBuf> = (0..ORDERS)
            .map(|i| {
                let job = format!("EARLY-{class}-{i}");
                account.fates.insert(job.clone(), Fate::Made(Kind::Tag));
                tiny.order(Kind::Tag, &job, |_| {})
            })
            .collect();
        let mut command = fleet.command();
        settled(&tiny, &mut command);
        command.args(["enqueue", "--class", &format!("class{class}")]).args(texts(&orders));
        assert!(command.status().unwrap().success());
    }
    let (seen, listener) = listen(&fleet);
    for round in 0..RESTARTS {
        let mut worker = fleet.launch(|command| settled(&tiny, command));
        let connected = Instant::now();
        while !worker.log().contains("the broker is connected") {
            assert!(connected.elapsed() < Duration::from_secs(60), "{}", worker.log());
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(scrambled(round) % 40_000));
        worker.signal("-TERM");
        let begin = Instant::now();
        until("the end of a worker", || worker.child.try_wait().unwrap().is_some());
        let status = worker.child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "round {round}:\n{}", worker.log());
        assert!(begin.elapsed() < DRAIN + MARGIN, "round {round}:\n{}", worker.log());
        println!("round {round}: ended after {:?}", begin.elapsed());
    }
    // Each restart may have given each order back once.
    let most = most_deliveries(&fleet).await;
    println!("{RESTARTS} restarts: at most {most} deliveries");
    assert!(most <= RESTARTS as i64, "an order came {most} times in {RESTARTS} restarts");
    let mut last = fleet.worker(|command| settled(&tiny, command));
    until("every result", || seen.lock().unwrap().decided().len() == account.fates.len());
    rest(&fleet);
    last.signal("-TERM");
    assert!(last.child.wait().unwrap().success(), "{}", last.log());
    listener.abort();
    let seen = seen.lock().unwrap().clone();
    let faults = judge(&fleet, &account, &tiny.expected(), &seen).await;
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
