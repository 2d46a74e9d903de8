use std::{
    collections::HashSet,
    sync::{
        Barrier,
        atomic::{AtomicBool, AtomicU32},
        mpsc,
    },
    thread::ThreadId,
};

use proptest::prelude::*;

use super::*;

/// Runs `test`, and fails if it takes a minute: what is looked for here is a thread that waits for ever.
fn bounded(test: impl FnOnce() + Send + 'static) {
    let (done, waiting) = mpsc::channel();
    let runner = thread::spawn(move || {
        test();
        done.send(()).ok();
    });
    match waiting.recv_timeout(Duration::from_secs(60)) {
        // Disconnected: it panicked, which join passes on.
        Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => {
            if let Err(payload) = runner.join() {
                resume_unwind(payload);
            }
        }
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("hangs"),
    }
}

/// Runs a job on `pool` and checks that each item ran once.
fn check_job(pool: &Pool, n_items: usize) {
    let times: Vec<AtomicU32> = (0..n_items).map(|_| AtomicU32::new(0)).collect();
    pool.run(n_items, &|item| {
        times[item].fetch_add(1, Ordering::Relaxed);
    });
    for (item, times) in times.iter().enumerate() {
        assert_eq!(times.load(Ordering::Relaxed), 1, "item {item} of {n_items}");
    }
}

/// The threads that ran items of a job whose items are long enough for everybody to come.
fn threads_of(pool: &Pool, n_items: usize) -> HashSet<ThreadId> {
    let seen = Mutex::new(HashSet::new());
    pool.run(n_items, &|_| {
        seen.lock().expect("no panic").insert(thread::current().id());
        thread::sleep(Duration::from_millis(2));
    });
    seen.into_inner().expect("no panic")
}

/// Waits until every thread of the pool is parked.
fn until_asleep(pool: &Pool) {
    let all = pool.threads() as u32 - 1;
    while pool.shared.asleep(pool.threads()).count_ones() < all {
        thread::sleep(Duration::from_millis(1));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn every_item_runs_once(threads in 1_usize..9, jobs in prop::collection::vec(0_usize..200, 1..30)) {
        bounded(move || {
            let pool = Pool::new(threads);
            for n_items in jobs {
                check_job(&pool, n_items);
            }
        });
    }
}

#[test]
fn a_pool_has_the_caller_at_least_and_one_bit_for_each_other_thread_at_most() {
    bounded(|| {
        assert_eq!(Pool::new(0).threads(), 1);
        let many = Pool::new(1000);
        assert_eq!(many.threads(), MAX_THREADS);
        for _ in 0..20 {
            check_job(&many, 300);
        }
    });
}

#[test]
fn many_short_jobs_back_to_back() {
    bounded(|| {
        let pool = Pool::new(4);
        let sum = AtomicUsize::new(0);
        for job in 0..100_000 {
            pool.run(1 + job % 7, &|item| {
                sum.fetch_add(item + 1, Ordering::Relaxed);
            });
        }
        let expected: usize = (0..100_000).map(|job| (1..=1 + job % 7).sum::<usize>()).sum();
        assert_eq!(sum.into_inner(), expected);
    });
}

#[test]
fn threads_that_went_to_sleep_come_back() {
    bounded(|| {
        let pool = Pool::new(4);
        for _ in 0..5 {
            until_asleep(&pool);
            // All four are needed: each item waits for the three others.
            let meeting = Barrier::new(4);
            pool.run(4, &|_| {
                meeting.wait();
            });
        }
    });
}

#[test]
fn what_items_wrote_is_there_afterwards() {
    bounded(|| {
        let pool = Pool::new(4);
        for round in 0..5000_u64 {
            // A task of its own for each job, on a stack that is used again: reading an older one would show.
            let written: [Mutex<u64>; 16] = std::array::from_fn(|_| Mutex::new(0));
            let offset = round * 1000;
            pool.run(written.len(), &|item| *written[item].lock().expect("no panic") = offset + item as u64);
            for (item, value) in written.into_iter().enumerate() {
                assert_eq!(value.into_inner().expect("no panic"), offset + item as u64);
            }
        }
    });
}

#[test]
fn a_caller_that_waits_long_is_woken() {
    bounded(|| {
        let pool = Pool::new(2);
        let caller = thread::current().id();
        for _ in 0..20 {
            let meeting = Barrier::new(2);
            pool.run(2, &|_| {
                meeting.wait();
                if thread::current().id() != caller {
                    // Far longer than anybody spins.
                    thread::sleep(Duration::from_millis(5));
                }
            });
        }
    });
}

#[test]
fn a_panic_reaches_the_caller_and_the_pool_goes_on() {
    bounded(|| {
        let pool = Pool::new(4);
        for bad in 0..50 {
            let ran = AtomicUsize::new(0);
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                pool.run(50, &|item| {
                    ran.fetch_add(1, Ordering::Relaxed);
                    assert!(item != bad, "item {item} is bad");
                });
            }));
            let payload = outcome.expect_err("the panic must not be lost");
            assert_eq!(payload.downcast_ref::<String>(), Some(&format!("item {bad} is bad")));
            assert_eq!(ran.into_inner(), 50);
            check_job(&pool, 20);
        }
    });
}

#[test]
fn when_every_item_panics_the_caller_gets_one_panic() {
    bounded(|| {
        let pool = Pool::new(4);
        let outcome = catch_unwind(AssertUnwindSafe(|| pool.run(64, &|item| panic!("{item}"))));
        assert!(outcome.is_err());
        check_job(&pool, 64);
    });
}

#[test]
fn callers_take_turns() {
    bounded(|| {
        let pool = Pool::new(3);
        thread::scope(|scope| {
            for caller in 0..4 {
                let pool = &pool;
                scope.spawn(move || {
                    for job in 0..500 {
                        check_job(pool, (caller + job) % 40);
                    }
                });
            }
        });
    });
}

#[test]
fn a_job_within_an_item_runs_there() {
    bounded(|| {
        let pool = Pool::new(4);
        let inner = AtomicUsize::new(0);
        pool.run(8, &|_| {
            let here = thread::current().id();
            pool.run(5, &|_| {
                assert_eq!(thread::current().id(), here);
                inner.fetch_add(1, Ordering::Relaxed);
            });
        });
        assert_eq!(inner.into_inner(), 40);
        // The caller is back outside: its next job has several threads again.
        let meeting = Barrier::new(2);
        pool.run(2, &|_| {
            meeting.wait();
        });
    });
}

#[test]
fn one_item_and_one_active_thread_stay_with_the_caller() {
    bounded(|| {
        let pool = Pool::new(4);
        let caller = HashSet::from([thread::current().id()]);
        assert_eq!(threads_of(&pool, 1), caller);
        pool.set_active(1);
        assert_eq!(threads_of(&pool, 10), caller);
    });
}

#[test]
fn no_more_threads_compute_than_are_active() {
    bounded(|| {
        let pool = Pool::new(4);
        for (wanted, active) in [(2, 2), (3, 3), (0, 1), (99, 4)] {
            until_asleep(&pool);
            pool.set_active(wanted);
            assert_eq!(pool.active(), active);
            assert!(threads_of(&pool, 20).len() <= active, "{active}");
            check_job(&pool, 100);
        }
        // And all of them again: nobody passes who is alone.
        let meeting = Barrier::new(4);
        pool.run(4, &|_| {
            meeting.wait();
        });
        assert_eq!(pool.threads(), 4);
    });
}

#[test]
fn changing_the_active_threads_between_jobs_loses_nothing() {
    bounded(|| {
        let pool = Pool::new(5);
        for job in 0..3000 {
            pool.set_active(1 + job % 5);
            check_job(&pool, job % 23);
        }
    });
}

#[test]
fn dropping_ends_the_threads_parked_or_not() {
    bounded(|| {
        for round in 0..30 {
            let pool = Pool::new(4);
            check_job(&pool, 10);
            if round % 2 == 0 {
                until_asleep(&pool);
            }
            let shared = Arc::downgrade(&pool.shared);
            drop(pool);
            assert!(shared.upgrade().is_none(), "a thread is still there");
        }
    });
}

#[test]
fn more_threads_than_cores_and_busy_neighbours() {
    bounded(|| {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        std::hint::spin_loop();
                    }
                });
            }
            let pool = Pool::new(8);
            for job in 0..400 {
                check_job(&pool, job % 90);
            }
            stop.store(true, Ordering::Relaxed);
        });
    });
}

#[test]
fn threads_bound_to_a_processor_compute() {
    bounded(|| {
        // The first one may be forbidden here; then the threads run anywhere.
        let pool = Pool::on_cpus(3, Some(&[0]));
        for n_items in 0..50 {
            check_job(&pool, n_items);
        }
        assert!(!Pool::bind_caller(&[]));
    });
}
