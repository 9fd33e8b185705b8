import type { Clock } from "../../core/clock.ts";
import { randomAlphanumeric } from "../credential.ts";
import type { SandboxAnswer } from "../exchange.ts";
import { ObjectStore } from "../object-store.ts";
import type { Operation } from "../route.ts";
import { refuse, refuseMissing } from "./error.ts";
import type { StripeForm } from "./form.ts";
import type {
  Charge,
  Customer,
  PaymentIntent,
  Payout,
  Price,
  Product,
  Refund,
  StripeObject,
  Transfer,
  TransferReversal,
} from "./objects.ts";

/** Everything that the sandbox's Stripe account has. */
export interface StripeBooks {
  readonly clock: Clock;
  readonly intents: ObjectStore<PaymentIntent>;
  readonly charges: ObjectStore<Charge>;
  readonly refunds: ObjectStore<Refund>;
  readonly payouts: ObjectStore<Payout>;
  readonly transfers: ObjectStore<Transfer>;
  readonly reversals: ObjectStore<TransferReversal>;
  readonly customers: ObjectStore<Customer>;
  readonly products: ObjectStore<Product>;
  readonly prices: ObjectStore<Price>;
}

export interface StripeCall {
  readonly books: StripeBooks;
  readonly form: StripeForm;
  readonly path: string;
}

export function openBooks(clock: Clock): StripeBooks {
  return {
    clock,
    intents: new ObjectStore(),
    charges: new ObjectStore(),
    refunds: new ObjectStore(),
    payouts: new ObjectStore(),
    transfers: new ObjectStore(),
    reversals: new ObjectStore(),
    customers: new ObjectStore(),
    products: new ObjectStore(),
    prices: new ObjectStore(),
  };
}

/** Seconds since the epoch, Stripe's unit of time. */
export function createdNow(books: StripeBooks): number {
  return Math.floor(books.clock.now() / 1000);
}

/** `pi_3Q…`: the prefix and 24 letters and digits, like Stripe's. */
export function stripeId(prefix: string): string {
  return `${prefix}_${randomAlphanumeric(24)}`;
}

export function ok(object: StripeObject): SandboxAnswer {
  return { status: 200, json: object };
}

/** The stored object, or 404 in Stripe's words: `No such payment_intent: 'pi_…'`. */
export function mustFind<T extends StripeObject>(store: ObjectStore<T>, object: string, id: string, param = "id"): T {
  return store.get(id) ?? refuseMissing(object, id, param);
}

type Store<T extends StripeObject> = (books: StripeBooks) => ObjectStore<T>;

/** GET of one object. */
export function retrieve<T extends StripeObject>(store: Store<T>, object: string): Operation<StripeCall> {
  return ({ books }, id = "") => ok(mustFind(store(books), object, id));
}

/** POST to one object of which only metadata and description can change. */
export function annotate<T extends StripeObject>(store: Store<T>, object: string): Operation<StripeCall> {
  return ({ books, form }, id = "") => {
    const found = mustFind(store(books), object, id);
    const description = form.text("description") ?? found.description;
    return ok(store(books).put({ ...found, description, metadata: form.metadata(found.metadata) }));
  };
}

/** GET of all of a store as a list, filtered by the query parameters in `filters` (fields of the same name). */
export function list<T extends StripeObject>(store: Store<T>, filters: readonly string[]): Operation<StripeCall> {
  return listOf(({ books }) => store(books).newestFirst(), filters);
}

/** GET of a list of what `objects` gives, newest first; its ids are those in the path. */
export function listOf<T extends StripeObject>(
  objects: (call: StripeCall, ...ids: string[]) => readonly T[],
  filters: readonly string[] = [],
): Operation<StripeCall> {
  return (call, ...ids) => {
    const { form, path } = call;
    const wanted = filters.flatMap((name) => {
      const value = form.text(name);
      return value === undefined ? [] : [[name, value] as const];
    });
    const all = objects(call, ...ids).filter((object) =>
      wanted.every(([name, value]) => String(object[name]) === value),
    );
    const { page, hasMore } = pageOf(all, form);
    return { status: 200, json: { object: "list", data: page, has_more: hasMore, url: path } };
  };
}

function pageOf<T extends StripeObject>(all: readonly T[], form: StripeForm): { page: T[]; hasMore: boolean } {
  const limit = form.amount("limit") ?? 10;
  if (limit > 100) refuse("This value must be less than or equal to 100.", "limit", "parameter_invalid_integer");
  const before = form.text("ending_before");
  if (before !== undefined) {
    const end = positionOf(all, before, "ending_before");
    return { page: all.slice(Math.max(0, end - limit), end), hasMore: end > limit };
  }
  const after = form.text("starting_after");
  const start = after === undefined ? 0 : positionOf(all, after, "starting_after") + 1;
  return { page: all.slice(start, start + limit), hasMore: all.length > start + limit };
}

function positionOf(all: readonly StripeObject[], id: string, param: string): number {
  const position = all.findIndex((object) => object.id === id);
  return position >= 0 ? position : refuse(`No such object: '${id}'`, param, "resource_missing");
}
