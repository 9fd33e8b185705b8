import { storeConformance } from "./conformance.ts";
import { openTemporaryStore } from "./temporary-database.ts";

storeConformance("SQLite", openTemporaryStore);
