/** POST /billing-runs/:run charges every customer of a run, with a vault key that lives as long as the request. */
import "reflect-metadata";
import {
  type ArgumentsHost,
  Body,
  Catch,
  Controller,
  type ExceptionFilter,
  HttpCode,
  Inject,
  Injectable,
  Module,
  Param,
  Post,
  Res,
} from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { asCapHit, type CapHit, Keybrake, type VaultKey } from "keybrake";
import Stripe from "stripe";

interface Order {
  readonly customers: readonly string[];
  readonly cents: number;
  readonly budgetUsd: number;
}

interface Reply {
  readonly destroyed: boolean;
  status(code: number): { json(body: unknown): void };
}

/** The run was stopped by its cap; what was charged before stands. */
class RunStopped extends Error {
  constructor(
    readonly charged: readonly string[],
    readonly hit: CapHit,
  ) {
    super(hit.message, { cause: hit });
  }
}

@Injectable()
class BillingService {
  readonly #keybrake = new Keybrake();

  async bill(run: string, { customers, cents, budgetUsd }: Order, isGone: () => boolean): Promise<readonly string[]> {
    const charged: string[] = [];
    const policy = {
      template: "billing",
      label: `nestjs-billing/${run}`,
      daily_usd_cap: budgetUsd,
      unique_label: true,
    };
    try {
      await this.#keybrake.withVaultKey(policy, async (key) => {
        for (const customer of customers) {
          if (isGone()) throw new Error(`${key.label}: its caller is gone after ${charged.length} charges`);
          await this.#charge(key, customer, cents);
          charged.push(customer);
        }
      });
    } catch (error) {
      const hit = asCapHit(error);
      throw hit ? new RunStopped(charged, hit) : error;
    }
    return charged;
  }

  async #charge(key: VaultKey, customer: string, cents: number): Promise<void> {
    await key
      .stripe(Stripe)
      .paymentIntents.create(
        { amount: cents, currency: "usd", customer, confirm: true, payment_method: "pm_card_visa" },
        { idempotencyKey: `${key.label}-${customer}` },
      );
  }
}

@Controller("billing-runs")
class BillingController {
  constructor(@Inject(BillingService) private readonly billing: BillingService) {}

  @Post(":run")
  @HttpCode(200)
  async run(@Param("run") run: string, @Body() order: Order, @Res({ passthrough: true }) reply: Reply) {
    return { charged: await this.billing.bill(run, order, () => reply.destroyed) };
  }
}

/** 402 and not 429: callers, proxies and gateways repeat a 429. */
@Catch(RunStopped)
class RunStoppedFilter implements ExceptionFilter<RunStopped> {
  catch({ charged, hit }: RunStopped, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<Reply>();
    reply.status(402).json({ charged, stoppedBy: hit.details.budget });
  }
}

@Module({ controllers: [BillingController], providers: [BillingService] })
class BillingModule {}

const app = await NestFactory.create(BillingModule, { logger: ["error", "warn"] });
app.useGlobalFilters(new RunStoppedFilter());
app.enableShutdownHooks();
await app.listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1");
