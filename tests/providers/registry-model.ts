/**
 * What the registry promises, said again as simply as possible: words in place of documents, one thing after the other. Its rules are those
 * at the top of `create-registry.ts`.
 */
export interface ModelProvider {
  readonly name: string;
  readonly precedence: number;
  delivered: string | undefined;
  inForce: string | undefined;
  held: string | undefined;
  /** What it knows of what it delivered last. */
  outcome: Outcome | undefined;
}

export type Outcome = "in-use" | "held" | "refused";

export interface World {
  /** Whether what words with `secret` refer to is there. */
  secret: boolean;
}

/** What a configuration is made of: the word of each provider that has one. */
export type Words = readonly { readonly name: string; readonly precedence: number; readonly word: string }[];

/**
 * `bad` is never good, nor is `hang`, which is not tried again with what others deliver; `secret` needs the secret; two with `same` need
 * different precedences.
 */
export function isGood(words: Words, world: World): boolean {
  const same = words.filter(({ word }) => word.includes("same")).map(({ precedence }) => precedence);
  return (
    words.length > 0 &&
    words.every(({ word }) => !/bad|hang/.test(word) && (world.secret || !word.includes("secret"))) &&
    new Set(same).size === same.length
  );
}

export const contentOf = (words: Words): string => words.map(({ name, word }) => `${name}=${word}`).join(" ");

type How = "as the verdict" | "if it is news";

interface Asking {
  readonly provider: ModelProvider;
  readonly how: How;
}

interface Kept {
  readonly generation: number;
  readonly words: Words;
}

const keptMax = 10;

export class Model {
  readonly world: World;
  providers: ModelProvider[];
  generation = 0;
  content = "";
  kept: Kept[] = [];
  /** What a restart finds on disk. */
  saved: readonly { readonly name: string; readonly word: string; readonly held: string | undefined }[] | undefined;
  /** What providers were told: `a in-use`. */
  told: string[] = [];
  /** What is to be judged. Whoever was refused before is told only what is news. */
  #asking = new Map<string, How>();

  constructor(providers: readonly Pick<ModelProvider, "name" | "precedence">[], world: World) {
    this.world = world;
    this.providers = providers.map(newcomer);
  }

  get isInForce(): boolean {
    return this.providers.some(({ inForce }) => inForce !== undefined);
  }

  deliver(deliveries: readonly (readonly [string, string])[]): void {
    for (const [name, word] of deliveries) {
      const provider = this.find(name);
      provider.delivered = word;
      provider.outcome = undefined;
      if (provider.held !== word) provider.held = undefined;
      this.#asking.set(name, "as the verdict");
    }
    this.#judge("delivery");
  }

  refresh(): void {
    this.#judge("refresh");
  }

  register(name: string, precedence: number): void {
    this.providers.push(newcomer({ name, precedence }));
  }

  unregister(name: string): boolean {
    const leaving = this.find(name);
    const rest = this.providers.filter((one) => one !== leaving);
    if (leaving.inForce !== undefined && !this.#take(this.#words(({ inForce }) => inForce, rest))) return false;
    this.providers = rest;
    this.#asking.delete(name);
    this.kept = this.kept.filter(({ words }) => words.every((one) => one.name !== name));
    if (leaving.inForce !== undefined) this.#save();
    for (const { name: other, outcome } of rest) if (outcome === "refused") this.#asking.set(other, "if it is news");
    this.#judge("delivery");
    return true;
  }

  rollback(generation: number): void {
    const words = this.kept.find((one) => one.generation === generation)?.words;
    const before = this.generation;
    if (words === undefined || !this.#take(words) || this.generation === before) return;
    for (const provider of this.providers) {
      provider.inForce = words.find(({ name }) => name === provider.name)?.word;
      const isBack = provider.delivered !== undefined && provider.delivered !== provider.inForce;
      provider.held = isBack ? provider.delivered : undefined;
      if (provider.delivered !== undefined) this.#tell(provider, isBack ? "held" : "in-use", "if it is news");
    }
    this.#save();
  }

  /** All providers are away, and what is on disk is used whole or not at all. */
  restart(): void {
    const names = this.providers.map(({ name }) => name).join();
    const usable = this.saved?.map(({ name }) => name).join() === names ? this.saved : undefined;
    this.providers = this.providers.map(newcomer);
    [this.kept, this.#asking, this.content] = [[], new Map(), ""];
    if (usable === undefined) return;
    const words = this.#words((provider) => usable.find(({ name }) => name === provider.name)?.word);
    if (!this.#take(words)) return;
    for (const provider of this.providers) {
      const one = usable.find(({ name }) => name === provider.name);
      [provider.inForce, provider.held] = [one?.word, one?.held];
    }
  }

  find(name: string): ModelProvider {
    const found = this.providers.find((one) => one.name === name);
    if (found === undefined) throw new Error(`the model has no ${name}`);
    return found;
  }

  #judge(why: "delivery" | "refresh"): void {
    if (!this.isInForce && this.providers.some(({ delivered }) => delivered === undefined)) return;
    const asking = [...this.#asking].map(([name, how]) => ({ provider: this.find(name), how }));
    this.#asking.clear();
    for (const { provider, how } of asking.filter((one) => isHeld(one.provider))) {
      this.#tell(provider, "held", how);
      this.#save();
    }
    const left = asking.filter((one) => !isHeld(one.provider));
    if (left.length === 0 && why === "delivery") return;
    const standing = (one: ModelProvider): string | undefined =>
      one.outcome === "refused" && one.delivered === "hang" ? (one.inForce ?? latest(one)) : latest(one);
    const tried = (one: ModelProvider): string | undefined =>
      why === "refresh" || left.some(({ provider }) => provider === one) ? latest(one) : standing(one);
    if (this.#use(this.#words(tried), left)) return;
    for (const one of left) {
      const { provider, how } = one;
      // Somebody before it in the same judgement may have brought something into use.
      const others = this.isInForce ? ({ inForce }: ModelProvider) => inForce : latest;
      if (
        !this.#use(
          this.#words((each) => (each === provider ? latest(each) : others(each))),
          [one],
        )
      )
        this.#tell(provider, "refused", how);
    }
    if (why === "refresh") this.#take(this.#words(({ inForce }) => inForce));
  }

  /** Takes what is good into use, and tells everybody for whom that changes something. */
  #use(words: Words, asking: readonly Asking[]): boolean {
    if (!this.#take(words)) return false;
    for (const { name, word } of words) {
      const provider = this.find(name);
      provider.inForce = word;
      if (provider.delivered !== word) continue;
      const asks = asking.find((one) => one.provider === provider);
      this.#tell(provider, "in-use", asks?.how ?? "if it is news");
    }
    this.#save();
    return true;
  }

  #take(words: Words): boolean {
    if (!isGood(words, this.world)) return false;
    const content = contentOf(words);
    if (content === this.content) return true;
    this.content = content;
    this.generation += 1;
    this.kept = [...this.kept, { generation: this.generation, words }].slice(-keptMax);
    return true;
  }

  #tell(provider: ModelProvider, outcome: Outcome, how: How): void {
    if (how === "as the verdict" || provider.outcome !== outcome) this.told.push(`${provider.name} ${outcome}`);
    provider.outcome = outcome;
  }

  #save(): void {
    this.saved = this.providers.flatMap(({ name, inForce, held }) => (inForce === undefined ? [] : [{ name, word: inForce, held }]));
  }

  #words(pick: (provider: ModelProvider) => string | undefined, providers: readonly ModelProvider[] = this.providers): Words {
    return providers.flatMap((provider) => {
      const word = pick(provider);
      return word === undefined ? [] : [{ name: provider.name, precedence: provider.precedence, word }];
    });
  }
}

function newcomer({ name, precedence }: Pick<ModelProvider, "name" | "precedence">): ModelProvider {
  return { name, precedence, delivered: undefined, inForce: undefined, held: undefined, outcome: undefined };
}

const isHeld = ({ delivered, held }: ModelProvider): boolean => delivered !== undefined && delivered === held;
const latest = (provider: ModelProvider): string | undefined =>
  isHeld(provider) ? provider.inForce : (provider.delivered ?? provider.inForce);
