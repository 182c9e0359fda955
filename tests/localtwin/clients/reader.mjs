// The platform's npm clients, unchanged, read an iModel that has changesets: who made them, and the
// files themselves through the backend's storage client.
// Usage: node reader.mjs NODE_MODULES API_URL CLIENT_ID CLIENT_SECRET IMODEL_ID FOLDER; prints JSON.
import { createRequire } from "node:module";
import { join } from "node:path";
import { statSync } from "node:fs";

const [modules, url, clientId, clientSecret, iModelId, folder] = process.argv.slice(2);
const require = createRequire(join(modules, "anchor.js"));
const { ServiceAuthorizationClient } = require("@itwin/service-authorization");
const { ITwinsAccessClient } = require("@itwin/itwins-client");
const { IModelsClient } = require("@itwin/imodels-client-authoring");
const management = require("@itwin/imodels-client-management");
const { toArray } = management;
const { AzureClientStorage, BlockBlobClientWrapperFactory } = require("@itwin/object-storage-azure");
const { StrategyClientStorage } = require("@itwin/object-storage-core");

const login = new ServiceAuthorizationClient({
  clientId,
  clientSecret,
  scope: "itwin-platform",
  authority: url,
});
const bearer = await login.getAccessToken();
const [scheme, token] = bearer.split(" ");
const authorization = async () => ({ scheme, token });
const cloudStorage = new StrategyClientStorage([
  { instanceName: "azure", instance: new AzureClientStorage(new BlockBlobClientWrapperFactory()) },
]);
const imodels = new IModelsClient({ api: { baseUrl: `${url}/imodels` }, cloudStorage });
const of = { authorization, iModelId };
const imodel = await imodels.iModels.getSingle(of);
const iTwinId = imodel.iTwinId;

const seen = {};
const downloaded = await imodels.changesets.downloadList({ ...of, targetDirectoryPath: folder });
seen.downloaded = downloaded.map((each) => statSync(each.filePath).size === each.fileSize);
const changesets = await toArray(imodels.changesets.getRepresentationList(of));
seen.tasks = changesets.map((each) => typeof each.synchronizationInfo.taskId);
const creator = await changesets[0].getCreator();
seen.creator = [creator.id === changesets[0].creatorId, creator.statistics.pushedChangesetsCount];
seen.users = (await toArray(imodels.users.getRepresentationList(of))).length;
seen.permissions = (await imodels.userPermissions.get(of)).permissions.length;

// The newer management client has what its own copy inside the authoring client lacks.
const marks = new management.IModelsClient({ api: { baseUrl: `${url}/imodels` } });
await marks.favoriteIModels.add(of);
await marks.recentIModels.add(of);
const urlParams = { iTwinId };
seen.marked = [
  (await toArray(marks.favoriteIModels.getMinimalList({ authorization, urlParams }))).length,
  (await toArray(marks.recentIModels.getMinimalList({ authorization, urlParams }))).length,
];
await marks.favoriteIModels.remove(of);
await marks.recentIModels.remove(of);
seen.unmarked = (
  await toArray(marks.favoriteIModels.getMinimalList({ authorization, urlParams }))
).length;

const itwins = new ITwinsAccessClient(`${url}/itwins`);
const account = (await itwins.getPrimaryAccountAsync(bearer)).data;
const itwin = (await itwins.getAsync(bearer, iTwinId, "representation")).data;
seen.account = itwin.iTwinAccountId === account.id;
console.log(JSON.stringify(seen));
