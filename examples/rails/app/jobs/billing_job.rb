# BillingJob.perform_later(customer_ids, 2999): one job is one run.
require "keybrake"

class BillingJob < ApplicationJob
  self.queue_adapter = :delayed_job
  self.log_arguments = false

  # The last declared is asked first. What nobody has thought of ends the run as well.
  rescue_from(StandardError) do |error|
    end_run
    raise error
  end

  # Worth another attempt: nothing was decided yet. The job keeps its id, and with it its key and its idempotency keys.
  retry_on(Keybrake::Unavailable, wait: 2.seconds, attempts: 3) do |job, error|
    job.end_run
    raise error
  end

  # A cap hit is final: the job is discarded, and neither tried again nor left among the failed ones.
  discard_on(Keybrake::CapHit) do |job, hit|
    job.end_run
    logger.warn("#{job.label} was stopped: #{hit.message}")
  end

  def label
    "rails-billing/#{job_id}"
  end

  def perform(customers, cents)
    @key = Keybrake::VaultKey.issue(label, daily_usd_cap: 150)
    customers.each { |customer| @key.charge(customer, cents, idempotency_key: "#{label}-#{customer}") }
    end_run
  end

  def end_run
    @key&.revoke
    @key = nil
  end
end
