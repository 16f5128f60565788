// The probe in a route handler of Next.js.
import { probe } from '../../../probe.mjs';

export const dynamic = 'force-dynamic';

export async function GET() {
  return Response.json(await probe());
}
