# lib/keybrake.rb: what a run needs of Keybrake, with Ruby's own HTTP client.
require "json"
require "net/http"

module Keybrake
  # A cap refused the call: nothing was sent, and repeating it is of no use until the cap resets.
  class CapHit < StandardError; end

  # Nothing was decided, or the call is under way: worth another attempt with the same idempotency key.
  class Unavailable < StandardError; end

  # Every other refusal, Stripe's as well.
  class Refused < StandardError; end

  def self.request(request, token)
    request["Authorization"] = "Bearer #{token}"
    address = request.uri
    https = address.scheme == "https"
    answer = Net::HTTP.start(address.host, address.port, use_ssl: https, open_timeout: 5, read_timeout: 90) do |http|
      # Net::HTTP repeats by itself what it takes for idempotent; that is the job's to decide.
      http.max_retries = 0
      http.request(request)
    end
    judge(answer)
  rescue SystemCallError, SocketError, Timeout::Error, EOFError => e
    raise Unavailable, e.message
  end

  def self.judge(answer)
    return JSON.parse(answer.body) if answer.is_a?(Net::HTTPSuccess)
    raise CapHit, JSON.parse(answer.body).dig("keybrake", "message") if answer["X-Keybrake-Cap-Hit"] == "true"
    raise Unavailable, "#{answer.code}: #{answer.body}" if [409, 429].include?(answer.code.to_i) || answer.code.to_i >= 500

    raise Refused, "#{answer.code}: #{answer.body}"
  end

  # What one run spends with.
  class VaultKey
    def self.issue(label, daily_usd_cap:)
      post = Net::HTTP::Post.new(URI("#{ENV.fetch('KEYBRAKE_URL')}/vault/keys"))
      post["Content-Type"] = "application/json"
      # A job that is tried again gets the same key.
      post["Idempotency-Key"] = label
      post.body = JSON.generate(template: "billing", agent_run_label: label, daily_usd_cap: daily_usd_cap)
      new(Keybrake.request(post, ENV.fetch("KEYBRAKE_API_KEY")))
    end

    def initialize(issued)
      @id = issued.fetch("id")
      @token = issued.fetch("vault_key")
      @stripe = issued.fetch("base_urls").fetch("stripe")
    end

    def charge(customer, cents, idempotency_key:)
      post = Net::HTTP::Post.new(URI("#{@stripe}/v1/payment_intents"))
      post["Idempotency-Key"] = idempotency_key
      post.set_form_data(
        amount: cents, currency: "usd", customer: customer, confirm: true, payment_method: "pm_card_visa"
      )
      Keybrake.request(post, @token)
    end

    def revoke
      delete = Net::HTTP::Delete.new(URI("#{ENV.fetch('KEYBRAKE_URL')}/vault/keys/#{@id}"))
      Keybrake.request(delete, ENV.fetch("KEYBRAKE_API_KEY"))
    rescue StandardError => e
      warn("#{@id} is not revoked and ends when it expires: #{e.message}")
    end
  end
end
