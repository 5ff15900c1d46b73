// The page of an application that a browser comes back to after an authorization.
import { createServer } from 'node:http';

/** Opens it on a port of its own. */
export async function openCallback(application) {
  const page = `<!doctype html><html lang="en"><title>${application}</title><h1>Back at ${application}</h1>`;
  const server = createServer((request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page);
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const url = `http://127.0.0.1:${server.address().port}/callback`;
  return { url, close: () => new Promise((closed) => server.close(closed).closeAllConnections()) };
}
