// The platform's own npm clients, unchanged, walk through what an office does.
// Usage: node office.mjs NODE_MODULES API_URL CLIENT_ID CLIENT_SECRET; prints what they saw as JSON.
import { createRequire } from "node:module";
import { join } from "node:path";

const [modules, url, clientId, clientSecret] = process.argv.slice(2);
const require = createRequire(join(modules, "anchor.js"));
const { ServiceAuthorizationClient } = require("@itwin/service-authorization");
const { ITwinsAccessClient } = require("@itwin/itwins-client");
const { IModelsClient, toArray } = require("@itwin/imodels-client-management");

const login = new ServiceAuthorizationClient({
  clientId,
  clientSecret,
  scope: "itwin-platform",
  authority: url,
});
const token = await login.getAccessToken();
const seen = { token: token.split(" ")[0] };

const itwins = new ITwinsAccessClient(`${url}/itwins`);
const number = `Bridge ${Date.now()}`;
const made = await itwins.createiTwin(token, {
  displayName: "Bridge",
  number,
  class: "Endeavor",
  subClass: "Project",
});
const iTwinId = made.data.id;
seen.created = made.status;
seen.itwin = (await itwins.getAsync(token, iTwinId, "representation")).data.number === number;
seen.found = (await itwins.queryAsync(token, "Project", { search: number })).data.map((each) => each.id === iTwinId);
seen.missing = (await itwins.getAsync(token, "5fb9aa98-9874-4697-b942-d19728840f19")).error?.code;

const imodels = new IModelsClient({ api: { baseUrl: `${url}/imodels` } });
const [scheme, bearer] = token.split(" ");
const authorization = async () => ({ scheme, token: bearer });
const imodel = await imodels.iModels.createEmpty({
  authorization,
  iModelProperties: { iTwinId, name: "Bridge 12" },
});
const single = await imodels.iModels.getSingle({ authorization, iModelId: imodel.id });
seen.imodel = [single.name, single.iTwinId === iTwinId];
const listed = await toArray(
  imodels.iModels.getRepresentationList({ authorization, urlParams: { iTwinId } }),
);
seen.imodels = listed.map((each) => each.name);
seen.changesets = await toArray(
  imodels.changesets.getRepresentationList({ authorization, iModelId: imodel.id }),
);
const version = await imodels.namedVersions.create({
  authorization,
  iModelId: imodel.id,
  namedVersionProperties: { name: "Start" },
});
seen.version = version.name;
try {
  await imodels.iModels.createEmpty({
    authorization,
    iModelProperties: { iTwinId, name: "Bridge 12" },
  });
} catch (error) {
  seen.twice = error.code;
}
await imodels.iModels.delete({ authorization, iModelId: imodel.id });
seen.deleted = (await itwins.deleteiTwin(token, iTwinId)).status;
console.log(JSON.stringify(seen));
