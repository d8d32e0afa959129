// oidc-provider (npm) speaking Pro Santé Connect's claims, for the contract test of identity providers.
//
// One argument: a JSON object {issuer, port, client, secret, redirect, acr, account}. `account` is what
// UserInfo says, its `sub` included. Everybody who comes is that account, without a password: what is under
// test is the protocol. Says "ready" on a line of its own once it listens.
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const told = JSON.parse(process.argv[2]);
const claims = Object.keys(told.account).filter((name) => name !== "sub");

const provider = new Provider(told.issuer, {
  clients: [
    {
      client_id: told.client,
      client_secret: told.secret,
      redirect_uris: [told.redirect],
      grant_types: ["authorization_code"],
      response_types: ["code"],
      id_token_signed_response_alg: "RS256",
    },
  ],
  scopes: ["openid", "scope_all"],
  claims: { openid: ["sub"], scope_all: claims },
  acrValues: told.acr,
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  cookies: { keys: ["tests only"] },
  findAccount: (_ctx, id) => ({ accountId: id, claims: async () => told.account }),
});

async function interact(request, response) {
  const { prompt, params, grantId } = await provider.interactionDetails(request, response);
  if (prompt.name === "login") {
    const login = { accountId: told.account.sub, acr: params.acr_values.split(" ")[0] };
    return provider.interactionFinished(request, response, { login });
  }
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: told.account.sub, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
}

createServer((request, response) => {
  const serve = request.url.startsWith("/interaction/") ? interact : provider.callback();
  Promise.resolve(serve(request, response)).catch(() => response.writeHead(500).end());
}).listen(told.port, "127.0.0.1", () => console.log("ready"));
