"""Writes goldens.json: trajectories of diffusers' schedulers under a model that any language can reproduce exactly.

usage: python make-goldens.py > goldens.json && npx prettier --write goldens.json
with diffusers 0.29.2, torch 2.13.0+cpu, numpy 2.4.6, transformers 4.44.2, Python 3.11, x86-64 with AVX2 or AVX-512.

Latents have 16 elements. In fp32, operator by operator, i being the element and k the UNet call:
  noise for the initial latents: ((3 i) mod 17 - 8) / 4
  model output for an input x:   (x + b) / (1 + x x),  b = ((7 i + 3 k) mod 11 - 5) / 8
  noise that a step adds:        ((5 i + 9 k) mod 13 - 6) / 4

torch takes sqrt, log and exp of fp32 numbers from MKL, which now and then is one unit in the last place off, and not the
same everywhere. `bits` is a hash of all latents of the trajectory with those three rounded correctly: what diffusers'
arithmetic gives but for MKL.
"""
import contextlib, hashlib, json, logging, warnings
import numpy as np, torch
import diffusers
from diffusers.schedulers import scheduling_euler_ancestral_discrete as ancestral

logging.disable(logging.WARNING); warnings.simplefilter('ignore')
SD = dict(beta_start=.00085, beta_end=.012, beta_schedule='scaled_linear')
I = torch.arange(16)


def vector(values):
    return values.to(torch.float32).reshape(1, 4, 2, 2)


def model(x, k):
    return (x + vector(((7 * I + 3 * k) % 11 - 5) / 8)) / (1 + x * x)


def numbers(tensor):
    """Shortest decimals that give the same fp32 number."""
    decimals = (float(str(v)) for v in tensor.flatten().to(torch.float32).numpy())
    return [int(v) if v.is_integer() else v for v in decimals]


@contextlib.contextmanager
def correct_rounding():
    names = ('sqrt', 'log', 'exp')
    kept = {(o, n): getattr(o, n) for o in (torch, torch.Tensor) for n in names} | {(torch.Tensor, '__pow__'): torch.Tensor.__pow__}
    for (owner, name), f in kept.items():
        if name in names:
            setattr(owner, name, lambda x, f=f: f(x.double()).to(x.dtype))
    torch.Tensor.__pow__ = lambda x, p: kept[torch.Tensor, 'sqrt'](x.double()).to(x.dtype) if p == .5 else kept[torch.Tensor, '__pow__'](x, p)
    try:
        yield
    finally:
        for (owner, name), f in kept.items():
            setattr(owner, name, f)


def trajectory(class_name, config, steps):
    s = getattr(diffusers, class_name)(**config)
    s.set_timesteps(steps)
    if hasattr(s, 'set_begin_index'):
        s.set_begin_index(0)  # as the first timestep may be there twice (DPM-Solver++ with Karras sigmas rounds)
    x = vector(((3 * I) % 17 - 8) / 4) * s.init_noise_sigma
    calls, samples, digest = len(s.timesteps), {}, hashlib.sha256()
    for k, t in enumerate(s.timesteps):
        ancestral.randn_tensor = lambda *a, **b: vector(((5 * I + 9 * k) % 13 - 6) / 4)
        x = s.step(model(s.scale_model_input(x, t), k), t, x).prev_sample
        digest.update(x.numpy().tobytes())
        if k in (0, 1, calls // 2, calls - 1):
            samples[k] = numbers(x)
    assert all(torch.isfinite(x).flatten()), (class_name, config, steps)
    return {'timesteps': numbers(s.timesteps), 'initNoiseSigma': numbers(torch.as_tensor(s.init_noise_sigma))[0], 'samples': samples}, digest.hexdigest()[:16]


def golden(class_name, config, steps):
    seen, _ = trajectory(class_name, config, steps)
    with correct_rounding():
        _, bits = trajectory(class_name, config, steps)
    return {'class': class_name, 'config': config, 'steps': steps, 'bits': bits, **seen}


PNDM, DDIM, EULER, ANCESTRAL, DPM = ('PNDMScheduler', 'DDIMScheduler', 'EulerDiscreteScheduler', 'EulerAncestralDiscreteScheduler', 'DPMSolverMultistepScheduler')
PNDM_SD = dict(skip_prk_steps=True, set_alpha_to_one=False, steps_offset=1, **SD)
DDIM_SD = dict(clip_sample=False, set_alpha_to_one=False, steps_offset=1, **SD)
V, X0 = dict(prediction_type='v_prediction'), dict(prediction_type='sample')
LEAD, TRAIL, LIN = (dict(timestep_spacing=s) for s in ('leading', 'trailing', 'linspace'))
KARRAS, ZERO = dict(use_karras_sigmas=True), dict(rescale_betas_zero_snr=True)
COS = dict(beta_schedule='squaredcos_cap_v2')
TRAINED = dict(num_train_timesteps=40, trained_betas=[(i + 1) / 512 for i in range(40)])
CASES = (
    # the settings of the project's end-to-end goldens
    *((c, k, n) for n in (8, 20) for c, k in (
        (PNDM, PNDM_SD), (DDIM, DDIM_SD), (EULER, {**LEAD, 'steps_offset': 1, **SD}), (ANCESTRAL, {**LEAD, 'steps_offset': 1, **SD}), (EULER, {**TRAIL, **SD}), (EULER, {**LIN, **SD}),
        (DDIM, {'clip_sample': False, 'set_alpha_to_one': True, **TRAIL, **SD}), (DPM, SD), (DPM, {**KARRAS, **SD}))),
    # defaults of the classes
    *((c, {}, 13) for c in (PNDM, DDIM, EULER, ANCESTRAL, DPM)),
    (PNDM, PNDM_SD, 1), (PNDM, PNDM_SD, 2), (PNDM, PNDM_SD, 3), (PNDM, PNDM_SD, 4), (PNDM, PNDM_SD, 50), (PNDM, PNDM_SD, 999), (PNDM, {**PNDM_SD, **V}, 7), (PNDM, {**PNDM_SD, **TRAIL}, 7), (PNDM, {**PNDM_SD, **LIN}, 50),
    (PNDM, {**SD, 'set_alpha_to_one': True}, 4), (PNDM, {**SD, **V}, 7), (PNDM, {**SD, **LIN}, 50), (PNDM, {**SD, **TRAIL, **COS}, 12), (PNDM, {**TRAINED, 'skip_prk_steps': True}, 7),
    (DDIM, DDIM_SD, 1), (DDIM, DDIM_SD, 50), (DDIM, {**DDIM_SD, **V}, 7), (DDIM, {**DDIM_SD, **X0, **LIN}, 7), (DDIM, {**DDIM_SD, **V, **TRAIL, **ZERO}, 13), (DDIM, {'clip_sample_range': 1.5, **COS}, 13),
    (DDIM, {**V, **SD, **LIN, **ZERO, 'set_alpha_to_one': False, 'clip_sample': False}, 50), (DDIM, {**TRAIL, **ZERO}, 7), (DDIM, TRAINED, 40),
    (EULER, SD, 1), (EULER, SD, 50), (EULER, SD, 999), (EULER, {**SD, **LEAD, 'steps_offset': 1}, 1000), (EULER, {**SD, **V}, 7), (EULER, {**SD, **X0}, 7), (EULER, {**SD, **KARRAS}, 20), (EULER, {**SD, **KARRAS}, 333),
    (EULER, {**SD, **KARRAS, **LEAD, **V}, 13), (EULER, {**SD, **KARRAS, **TRAIL, 'sigma_min': .1, 'sigma_max': 10}, 13), (EULER, {**SD, 'final_sigmas_type': 'sigma_min'}, 13), (EULER, {**SD, **V, **TRAIL, **ZERO}, 13),
    (EULER, {**SD, **TRAIL}, 61), (EULER, {**COS}, 13), (EULER, TRAINED, 13),
    (ANCESTRAL, SD, 1), (ANCESTRAL, SD, 50), (ANCESTRAL, {**SD, **V}, 7), (ANCESTRAL, {**SD, **TRAIL}, 13), (ANCESTRAL, {**SD, **V, **ZERO, **LEAD}, 13), (ANCESTRAL, COS, 7),
    (DPM, SD, 1), (DPM, SD, 2), (DPM, SD, 14), (DPM, SD, 15), (DPM, SD, 50), (DPM, SD, 500), (DPM, {**SD, **V}, 7), (DPM, {**SD, **X0}, 7), (DPM, {**SD, **LEAD, 'steps_offset': 1}, 13), (DPM, {**SD, **TRAIL}, 13), (DPM, {**SD, **TRAIL}, 61),
    (DPM, {**SD, 'solver_order': 1}, 13), (DPM, {**SD, 'solver_type': 'heun'}, 13), (DPM, {**SD, 'solver_type': 'heun', **V}, 20), (DPM, {**SD, 'lower_order_final': False, 'final_sigmas_type': 'sigma_min'}, 13),
    (DPM, {**SD, 'final_sigmas_type': 'sigma_min'}, 13), (DPM, {**SD, 'final_sigmas_type': 'sigma_min'}, 20), (DPM, {**SD, 'euler_at_final': True, 'final_sigmas_type': 'sigma_min'}, 20), (DPM, {**SD, **KARRAS}, 50), (DPM, {**SD, **KARRAS, **V}, 7),
    (DPM, {**COS, 'lambda_min_clipped': -5.1}, 13), (DPM, {**COS, 'lambda_min_clipped': -5.1, **TRAIL}, 13), (DPM, {**SD, **V, **ZERO, **TRAIL}, 13), (DPM, {**SD, 'solver_type': 'bh2'}, 7), (DPM, TRAINED, 13),
)

# What a checkpoint's scheduler_config.json holds, whether a StableDiffusionPipeline was made with it, and the class swapped in with from_config.
OLD = {'_class_name': PNDM, '_diffusers_version': '0.6.0', 'beta_end': .012, 'beta_schedule': 'scaled_linear', 'beta_start': .00085, 'num_train_timesteps': 1000, 'skip_prk_steps': True}
SD15 = {**OLD, 'set_alpha_to_one': False, 'steps_offset': 1, 'trained_betas': None, 'clip_sample': False}
OFFSET0 = {**OLD, 'steps_offset': 0, 'clip_sample': True, 'timestep_spacing': 'trailing'}
DDIM_OLD = {**OLD, '_class_name': DDIM}
EULER_BOUNDS = {**OLD, '_class_name': EULER, 'use_karras_sigmas': True, 'sigma_min': .05, 'sigma_max': 12., 'prediction_type': 'v_prediction'}
UNIPC = {**OLD, '_class_name': 'UniPCMultistepScheduler', 'solver_type': 'bh2', 'solver_order': 2, 'disable_corrector': [], 'steps_offset': 1, 'timestep_spacing': 'trailing'}
SWAPS = [(f, p, t) for f in (OLD, SD15, OFFSET0, DDIM_OLD, EULER_BOUNDS, UNIPC) for p in (False, True) for t in (None, PNDM, DDIM, EULER, ANCESTRAL, DPM) if t != f['_class_name'] and not (t is None and f is UNIPC)]


def swap(file, pipeline, target):
    s = getattr(diffusers, file['_class_name']).from_config(file)  # what from_pretrained does with the file
    if pipeline:
        unet = diffusers.UNet2DConditionModel(sample_size=8, block_out_channels=(8,), norm_num_groups=8, down_block_types=('DownBlock2D',), up_block_types=('UpBlock2D',), layers_per_block=1)
        vae = diffusers.AutoencoderKL(block_out_channels=(8,), norm_num_groups=8)
        s = diffusers.StableDiffusionPipeline(vae, None, None, unet, s, None, None, requires_safety_checker=False).scheduler
    if target is not None:
        s = getattr(diffusers, target).from_config(s.config)
    known = type(s)._get_init_keys(type(s)) - {'self'}
    if target == DPM:
        known |= {'sigma_min', 'sigma_max'}  # read where a config holds them
    s.set_timesteps(10)
    return {'config': {k: v for k, v in sorted(s.config.items()) if k in known and v != -float('inf')}, 'timesteps': numbers(s.timesteps)}


print(json.dumps({
    'about': 'made by make-goldens.py, which says how; diffusers %s, torch %s, numpy %s' % (diffusers.__version__, torch.__version__, np.__version__),
    'trajectories': [golden(*case) for case in CASES],
    'swaps': [{'file': f, 'pipeline': p, **({} if t is None else {'to': t}), **swap(f, p, t)} for f, p, t in SWAPS],
}, allow_nan=False).replace('{"class"', '\n{"class"').replace('{"file"', '\n{"file"'))
