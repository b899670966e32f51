// An OpenID provider that shares nothing with ours: npm's oidc-provider, where Keycloak would be. Arguments: its folder, port, issuer.

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, port, issuer] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(createRequire(`${folder}/`).resolve("oidc-provider")));
const path = new URL(issuer).pathname.replace(/\/$/, "");

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "automation",
      application_type: "native",
      token_endpoint_auth_method: "none",
      redirect_uris: ["http://localhost/"],
      grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
      response_types: ["code"],
    },
  ],
  claims: { openid: ["sub"], profile: ["preferred_username"] },
  conformIdTokenClaims: false,
  features: { deviceFlow: { enabled: true }, revocation: { enabled: true }, devInteractions: { enabled: true } },
  findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub, preferred_username: sub }) }),
  rotateRefreshToken: true,
  ttl: { AccessToken: 300, Session: 600, Grant: 600, Interaction: 600, IdToken: 600, RefreshToken: 600, DeviceCode: 600, AuthorizationCode: 60 },
});

const answer = provider.callback();
createServer((request, response) => {
  request.originalUrl = request.url; // by which the provider knows where it is mounted
  if (request.url.startsWith(path)) request.url = request.url.slice(path.length) || "/";
  answer(request, response);
}).listen(Number(port), "127.0.0.1", () => console.log("ready"));
