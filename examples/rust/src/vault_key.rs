use serde_json::{Value, json};
use std::{env, error::Error, time::Duration};
use ureq::Agent;

/// What one run spends with. It is revoked where it is dropped: at the end of the run, on `?` and on a panic.
pub struct VaultKey {
    pub agent: Agent,
    pub token: String,
    /// Where this key's calls go, in place of `https://api.stripe.com`.
    pub stripe: String,
    id: String,
}

impl VaultKey {
    /// The label is the Idempotency-Key, too: a run that starts again within 24 hours gets the same key.
    pub fn issue(label: &str, daily_usd_cap: f64) -> Result<Self, Box<dyn Error>> {
        // A refusal is an answer with words in it; ureq would keep its status only.
        let agent: Agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(90)))
            .build()
            .into();
        let wanted = json!({ "template": "billing", "agent_run_label": label, "daily_usd_cap": daily_usd_cap });
        let mut response = agent
            .post(format!("{}/vault/keys", env::var("KEYBRAKE_URL")?))
            .header("Authorization", bearer())
            .header("Idempotency-Key", label)
            .send_json(&wanted)?;
        let told: Value = response.body_mut().read_json()?;
        match (told["id"].as_str(), told["vault_key"].as_str(), told["base_urls"]["stripe"].as_str()) {
            (Some(id), Some(token), Some(stripe)) => {
                Ok(Self { agent, token: token.into(), stripe: stripe.into(), id: id.into() })
            }
            _ => Err(format!("no key was issued: {}", told["message"]).into()),
        }
    }
}

impl Drop for VaultKey {
    fn drop(&mut self) {
        let url = format!("{}/vault/keys/{}", env::var("KEYBRAKE_URL").unwrap_or_default(), self.id);
        match self.agent.delete(url).header("Authorization", bearer()).call() {
            Ok(response) if response.status().is_success() => {}
            failed => eprintln!("{} is not revoked and ends when it expires: {failed:?}", self.id),
        }
    }
}

fn bearer() -> String {
    format!("Bearer {}", env::var("KEYBRAKE_API_KEY").unwrap_or_default())
}
