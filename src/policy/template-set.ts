import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { nearestName } from "../core/nearest.ts";
import { Problem } from "../core/problem.ts";
import { fileStamp } from "./file-stamp.ts";
import { loadTemplate } from "./load.ts";
import { type Template, templateName } from "./template.ts";

/** A file in the directory that cannot be used as it is. */
export interface TemplateFileProblem {
  readonly fileName: string;
  /** What is wrong, with line and column where it is inside the file. */
  readonly message: string;
  /** True where an earlier, sound version of the file is still in use. */
  readonly lastGoodInUse: boolean;
}

interface LoadedFile {
  /** What tells one version of a file from the next. */
  readonly stamp: string;
  readonly template: Template | undefined;
  readonly problem: string | undefined;
}

/**
 * The templates of `directory`. Files are looked at when a template is asked for: a changed one is read again, and one
 * that is broken (or was caught half-written) leaves the last good version in use.
 * @throws Problem `unavailable` where the directory exists and cannot be read.
 */
export function readTemplates(directory: string): TemplateSet {
  const set = new TemplateSet(directory);
  set.names();
  return set;
}

export class TemplateSet {
  readonly directory: string;
  readonly #files = new Map<string, LoadedFile>();

  constructor(directory: string) {
    this.directory = directory;
  }

  /** The names of all templates that can be used, sorted. */
  names(): readonly string[] {
    return this.all().map(({ name }) => name);
  }

  /** Every template that can be used, by name. */
  all(): readonly Template[] {
    const present = this.#fileNames().filter((fileName) => templateName(fileName) !== undefined);
    for (const known of this.#files.keys()) if (!present.includes(known)) this.#files.delete(known);
    return present.map((fileName) => this.#file(fileName)?.template).filter((template) => template !== undefined);
  }

  /**
   * @throws Problem `not_found` naming the nearest template, or `invalid` with file, line and column where the file is
   * there and was never sound.
   */
  get(name: string): Template {
    const fileName = `${name}.yaml`;
    // The name goes into a path: anything but kebab-case ends here.
    const file = templateName(fileName) === name ? this.#file(fileName) : undefined;
    if (file?.template) return file.template;
    if (file?.problem) throw new Problem("invalid", file.problem, "`keybrake policy lint` shows every error");
    const names = this.names();
    const nearest = nearestName(name, names);
    const there = names.length > 0 ? `there are ${names.join(", ")}` : `there are none in ${this.directory}`;
    throw new Problem(
      "not_found",
      `there is no template ${JSON.stringify(name)}; ${nearest ? `did you mean ${nearest}?` : there}`,
    );
  }

  /** What is wrong in the directory now. */
  problems(): readonly TemplateFileProblem[] {
    this.all();
    const problems: TemplateFileProblem[] = [];
    for (const fileName of this.#fileNames()) {
      const file = this.#files.get(fileName);
      if (file?.problem) problems.push({ fileName, message: file.problem, lastGoodInUse: file.template !== undefined });
      else if (isMisnamed(fileName)) {
        const message = `${fileName} is not used; a template's file is in small letters and dashes and ends in .yaml`;
        problems.push({ fileName, message, lastGoodInUse: false });
      }
    }
    return problems;
  }

  #fileNames(): string[] {
    try {
      return readdirSync(this.directory).sort();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw new Problem(
        "unavailable",
        `the templates in ${this.directory} cannot be read: ${(error as Error).message}`,
      );
    }
  }

  /** The file as it is now, or its last good version; undefined where there is none. */
  #file(fileName: string): LoadedFile | undefined {
    const path = join(this.directory, fileName);
    const known = this.#files.get(fileName);
    const stamp = fileStamp(path);
    if (stamp === undefined) {
      this.#files.delete(fileName);
      return undefined;
    }
    if (known?.stamp === stamp) return known;
    const read = this.#read(path, fileName);
    // Changed while it was read: half of it may be old. The next look reads it again.
    const settled = fileStamp(path) === stamp;
    const good = settled ? read : { template: undefined, problem: `${fileName} changed while it was read; try again` };
    const file = { stamp: settled ? stamp : "", problem: good.problem, template: good.template ?? known?.template };
    this.#files.set(fileName, file);
    return file;
  }

  #read(path: string, fileName: string): Pick<LoadedFile, "template" | "problem"> {
    try {
      return { template: loadTemplate(readFileSync(path, "utf8"), fileName), problem: undefined };
    } catch (error) {
      return { template: undefined, problem: (error as Error).message };
    }
  }
}

function isMisnamed(fileName: string): boolean {
  return /\.ya?ml$/i.test(fileName) && fileName !== "budgets.yaml" && templateName(fileName) === undefined;
}
