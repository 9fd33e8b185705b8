//! Charges every customer of a run on several threads: `billing LABEL CUSTOMERS`. The cap holds over all of them.

mod vault_key;

use serde_json::Value;
use std::{env, error::Error, sync::Mutex, thread, time::Duration};
use vault_key::VaultKey;

const WORKERS: usize = 8;
const ATTEMPTS_MAX: u64 = 3;

enum Outcome {
    Charged,
    /// A cap refused the call: nothing was sent, and repeating it is of no use until the cap resets.
    CapHit,
    Failed(String),
}

fn charge(key: &VaultKey, label: &str, customer: &str) -> Outcome {
    for attempt in 1.. {
        let answer = key
            .agent
            .post(format!("{}/v1/payment_intents", key.stripe))
            .header("Authorization", format!("Bearer {}", key.token))
            .header("Idempotency-Key", format!("{label}-{customer}"))
            .send_form([
                ("amount", "2999"),
                ("currency", "usd"),
                ("customer", customer),
                ("confirm", "true"),
                ("payment_method", "pm_card_visa"),
            ]);
        let mut response = match answer {
            Ok(response) => response,
            Err(error) => return Outcome::Failed(error.to_string()),
        };
        let status = response.status().as_u16();
        if response.status().is_success() {
            return Outcome::Charged;
        }
        if response.headers().contains_key("x-keybrake-cap-hit") {
            return Outcome::CapHit;
        }
        // 409: the first call with this key is under way. 429 without a cap hit: too fast. The same key charges once.
        if matches!(status, 409 | 429 | 500..) && attempt < ATTEMPTS_MAX {
            let wait = response.headers().get("retry-after").and_then(|text| text.to_str().ok()?.parse().ok());
            thread::sleep(Duration::from_secs(wait.unwrap_or(attempt)));
            continue;
        }
        let told: Value = response.body_mut().read_json().unwrap_or_default();
        return Outcome::Failed(format!("{status}: {}", told["error"]["message"]));
    }
    unreachable!("the last attempt returns")
}

fn main() -> Result<(), Box<dyn Error>> {
    let label = env::args().nth(1).unwrap_or("rust-billing/01".into());
    let count: usize = env::args().nth(2).unwrap_or("12".into()).parse()?;
    let key = VaultKey::issue(&label, 150.0)?;
    let customers = Mutex::new((0..count).map(|n| format!("cus_{n}")));
    let outcomes = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    // A statement of its own: the lock is given back before the call.
                    let next = customers.lock().unwrap().next();
                    let Some(customer) = next else { break };
                    let outcome = charge(&key, &label, &customer);
                    outcomes.lock().unwrap().push(outcome);
                }
            });
        }
    });
    let outcomes = outcomes.into_inner()?;
    let charged = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Charged)).count();
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::CapHit)).count();
    println!("charged {charged}, refused by the cap {refused}");
    for outcome in &outcomes {
        if let Outcome::Failed(why) = outcome {
            return Err(why.as_str().into());
        }
    }
    Ok(())
}
