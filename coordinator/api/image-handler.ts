import type { ServerReadableStream, ServerWritableStream } from '@grpc/grpc-js';
import type * as proto from '../../gen/fleet/v1/image.ts';
import { LetheError } from '../../shared/error/lethe-error.ts';
import { chunkBytes } from '../../shared/fleet/protocol.ts';
import { requirePart, violation } from '../../shared/fleet/violation.ts';
import { writeDrained } from '../../shared/fleet/write-drained.ts';
import { type SchedulerName, schedulerNames } from '../../shared/model/scheduler-name.ts';
import { grpcStatusOf } from './grpc-status.ts';
import type { AskedGroup, ImageService, ImageSource } from './image-service.ts';

/** Images in one request: more are asked for in several. */
const mostAsked = 200_000;
/** Images in one fetch: their names fit into a message. */
const mostFetched = 1_000;

/** ImageService: translation alone. */
export function imageHandlers(images: ImageService): proto.ImageServiceServer {
  return {
    request: (call, answer) => {
      request(images, call).then(
        (response) => {
          answer(null, response);
        },
        (error: unknown) => {
          answer(grpcStatusOf(error));
        },
      );
    },
    fetch: (call) => {
      void fetchImages(images, call);
    },
  };
}

async function request(
  images: ImageService,
  call: ServerReadableStream<proto.RequestImagesRequest, proto.RequestImagesResponse>,
): Promise<proto.RequestImagesResponse> {
  let head: proto.ImagesHead | undefined;
  const groups: AskedGroup[] = [];
  let asked = 0;
  for await (const { piece } of call as AsyncIterable<proto.RequestImagesRequest>) {
    if (piece?.$case === 'head' && head === undefined) head = piece.value;
    else if (piece?.$case === 'group' && head !== undefined) {
      asked += piece.value.trajectories.length;
      if (asked > mostAsked) throw usage(`more than ${mostAsked} images are asked for at once`);
      groups.push(groupFromMessage(piece.value));
    } else throw violation('request', 'the head comes first, once, and then groups');
  }
  const { source, title, batch } = requirePart(head, 'head');
  if (batch < 1 || batch > 1024) throw violation('head.batch', `it is ${batch}; 1 to 1024 are accepted`);
  const answer = await images.request(sourceFromMessage(source), title.slice(0, 60), batch, groups);
  return { ...answer, jobs: [...answer.jobs] };
}

async function fetchImages(
  images: ImageService,
  call: ServerWritableStream<proto.FetchImagesRequest, proto.FetchImagesResponse>,
): Promise<void> {
  try {
    const groups = call.request.groups.map(groupFromMessage);
    const asked = groups.reduce((sum, { trajectories }) => sum + trajectories.length, 0);
    if (asked > mostFetched) throw usage(`${asked} images are asked for; ${mostFetched} are handed out at once`);
    let image = 0;
    for await (const bytes of images.read(sourceFromMessage(call.request.source), groups)) {
      for (let at = 0; at < bytes.length && !call.cancelled; at += chunkBytes) {
        const data = Buffer.from(bytes.subarray(at, at + chunkBytes));
        await writeDrained(call, { image, data, last: at + chunkBytes >= bytes.length });
      }
      if (call.cancelled) return;
      image += 1;
    }
    call.end();
  } catch (error) {
    if (!call.cancelled) call.emit('error', grpcStatusOf(error));
  }
}

function sourceFromMessage(message: proto.ImageSource | undefined): ImageSource {
  const { checkpoint, directory, variant, numerics } = requirePart(message, 'source');
  return { checkpoint, directory, variant, numerics };
}

function groupFromMessage({ sampling, masks, trajectories }: proto.ImageGroup): AskedGroup {
  const { scheduler, steps, guidance, height, width } = requirePart(sampling, 'group.sampling');
  for (const { seed } of trajectories)
    if (!/^\d{1,20}$/.test(seed)) throw violation('group.trajectories.seed', 'it is no number of up to 64 bits');
  if (masks.some((mask) => !/^[0-9a-f]{64}$/.test(mask))) throw violation('group.masks', 'one is no hash of a mask');
  return {
    sampling: {
      ...(scheduler === undefined ? {} : { scheduler: schedulerOf(scheduler) }),
      steps,
      guidance,
      ...(height === undefined || width === undefined ? {} : { size: { width, height } }),
    },
    masks,
    trajectories: trajectories.map(({ prompt, seed }) => ({ prompt, seed })),
  };
}

function schedulerOf(name: string): SchedulerName {
  const known = schedulerNames.find((each) => each === name);
  if (known !== undefined) return known;
  throw usage(`there is no scheduler ${JSON.stringify(name)}; known are ${schedulerNames.join(', ')}`);
}

function usage(why: string): LetheError {
  return new LetheError('usage', { what: 'cannot make the images', why, next: 'ask for fewer, or for what there is' });
}
