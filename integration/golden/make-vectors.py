"""Writes the golden checkpoints in vectors/ with the Python reference stack (diffusers 0.29.2, transformers 4.44.2, torch CPU).

usage: make-vectors.py OUT TOKENIZER [CASE ...]

TOKENIZER is a directory with vocab.json and merges.txt of a small byte-pair vocabulary, such as
checkpoint/emoji-sd/tokenizer. For each case: OUT/CASE/checkpoint, a diffusers directory with random weights, and
goldens.safetensors and goldens.json with what the reference computes in fp32 from the weights as they are stored.
"""
import json
import os
import shutil
import struct
import sys

import torch
from diffusers import (AutoencoderKL, DDIMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler, PNDMScheduler,
                       StableDiffusionPipeline, UNet2DConditionModel)
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

torch.set_num_threads(1)
PROMPTS = ['a red apple on a table', 'a poster of two cats, 4k — café!!']
BETAS = dict(beta_start=.00085, beta_end=.012, beta_schedule='scaled_linear', num_train_timesteps=1000)
SCHEDULERS = {
    'pndm': lambda: PNDMScheduler(skip_prk_steps=True, set_alpha_to_one=False, steps_offset=1, **BETAS),
    'ddim': lambda: DDIMScheduler(clip_sample=False, set_alpha_to_one=False, steps_offset=1, **BETAS),
    'euler': lambda: EulerDiscreteScheduler(timestep_spacing='leading', steps_offset=1, **BETAS),
    'dpmpp_2m_karras': lambda: DPMSolverMultistepScheduler(use_karras_sigmas=True, **BETAS),
}


def randomize(module, generator):
    """Weights that keep activations alive at every depth: the libraries' own starting values give near-constant outputs."""
    for name, parameter in module.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.ndim >= 2:
            parameter.data = noise / parameter[0].numel() ** .5
        elif 'norm' in name and name.endswith('weight'):
            parameter.data = 1 + .2 * noise
        else:
            parameter.data = .1 * noise
    return module.eval()


def cross(count, kind):
    return [f'CrossAttn{kind}Block2D'] * count


def build(case, tokenizer_files, seed):
    """The pipeline of a case. Lists left out of a case are filled to the number of its levels."""
    generator = torch.Generator().manual_seed(seed)
    length = case.get('positions', 32)
    tokenizer = CLIPTokenizer(f'{tokenizer_files}/vocab.json', f'{tokenizer_files}/merges.txt', model_max_length=case.get('length', length))
    unet = dict(sample_size=8, block_out_channels=(16, 32), layers_per_block=1, cross_attention_dim=24, attention_head_dim=4, norm_num_groups=8)
    unet.update(case.get('unet', {}))
    levels = len(unet['block_out_channels'])
    unet.setdefault('down_block_types', cross(levels - 1, 'Down') + ['DownBlock2D'] if levels > 1 else cross(1, 'Down'))
    unet.setdefault('up_block_types', ['UpBlock2D'] + cross(levels - 1, 'Up') if levels > 1 else cross(1, 'Up'))
    vae = dict(block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4, latent_channels=unet.get('in_channels', 4), scaling_factor=.18215)
    vae.update(case.get('vae', {}))
    vae.setdefault('sample_size', 16)
    for way in ('Down', 'Up'):
        coder = 'DownEncoderBlock2D' if way == 'Down' else 'UpDecoderBlock2D'
        vae.setdefault(f'{way.lower()}_block_types', [coder] * len(vae['block_out_channels']))
    text = dict(vocab_size=len(tokenizer), hidden_size=24, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=length,
                bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)
    text.update(case.get('text', {}))
    models = [randomize(model, generator) for model in (UNet2DConditionModel(**unet), AutoencoderKL(**vae), CLIPTextModel(CLIPTextConfig(**text)))]
    models[2].text_model.embeddings.token_embedding.weight.data.mul_(text['hidden_size'] ** .5 / 2)
    pipeline = StableDiffusionPipeline(models[1], models[2], tokenizer, models[0], SCHEDULERS['pndm'](), None, None, requires_safety_checker=False)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def save(case, pipeline, directory):
    """Saves the pipeline in the case's dtype; what it computes afterwards is fp32 with the weights as they were stored."""
    dtype = getattr(torch, case.get('dtype', 'float32'))
    for model in (pipeline.unet, pipeline.vae, pipeline.text_encoder):
        model.to(dtype)
    pipeline.save_pretrained(directory, safe_serialization=True)
    if 'shard' in case:
        pipeline.text_encoder.save_pretrained(f'{directory}/text_encoder', max_shard_size=case['shard'])
        os.remove(f'{directory}/text_encoder/model.safetensors')
    for model in (pipeline.unet, pipeline.vae, pipeline.text_encoder):
        model.to(torch.float32)
    for change in case.get('changes', ()):
        change(directory)


def rewrite(path, tensors, odd=False):
    """Saves tensors; `odd` by hand, with a header whose length makes every offset an odd number."""
    if not odd:
        return save_file(tensors, path, metadata={'format': 'pt'})
    header, data = {}, b''
    for name, tensor in tensors.items():
        raw = tensor.contiguous().view(torch.uint8).numpy().tobytes()
        header[name] = {'dtype': {torch.float32: 'F32', torch.float16: 'F16', torch.bfloat16: 'BF16'}[tensor.dtype], 'shape': list(tensor.shape), 'data_offsets': [len(data), len(data) + len(raw)]}
        data += raw
    encoded = json.dumps(header).encode()
    encoded += b' ' * (1 - len(encoded) % 2)
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(encoded)) + encoded + data)


UNET, VAE, TEXT = 'unet/diffusion_pytorch_model.safetensors', 'vae/diffusion_pytorch_model.safetensors', 'text_encoder/model.safetensors'


def odd_offsets(directory):
    for file in (UNET, VAE, TEXT):
        rewrite(f'{directory}/{file}', load_file(f'{directory}/{file}'), odd=True)


def old_attention_names(directory):
    """The VAE's attention as diffusers stored it before 0.16."""
    names = {'to_q': 'query', 'to_k': 'key', 'to_v': 'value', 'to_out.0': 'proj_attn'}

    def old(name):
        for new, before in names.items():
            name = name.replace(f'.attentions.0.{new}.', f'.attentions.0.{before}.')
        return name
    rewrite(f'{directory}/{VAE}', {old(name): tensor for name, tensor in load_file(f'{directory}/{VAE}').items()})


def bare_text_names(directory):
    """The text encoder as transformers 5 stores it."""
    rewrite(f'{directory}/{TEXT}', {name.removeprefix('text_model.'): tensor for name, tensor in load_file(f'{directory}/{TEXT}').items()})


def few_keys(component, keep, **change):
    """A config with these keys only, as files of older libraries have."""
    def apply(directory):
        path = f'{directory}/{component}/config.json'
        config = json.load(open(path))
        json.dump({key: config[key] for key in keep} | change, open(path, 'w'), indent=2)
    return apply


def goldens(case, pipeline, out):
    steps, guidance = case.get('steps', 4), 7.5
    prompts = PROMPTS[:case.get('prompts', 2)]
    tensors, sampled = {}, {}
    with torch.no_grad():
        tokenizer = pipeline.tokenizer
        tensors['tokenizer.input_ids'] = tokenizer(prompts + [''], padding='max_length', max_length=tokenizer.model_max_length, truncation=True, return_tensors='pt').input_ids
        text, empty = pipeline.encode_prompt(prompts, 'cpu', 1, True, negative_prompt=[''] * len(prompts))
        tensors['text.hidden'], tensors['text.negative'] = text, empty
        size, channels = pipeline.unet.config.sample_size, pipeline.unet.config.in_channels
        height, width = case.get('call', (size, size))
        sample = torch.randn((len(prompts), channels, height, width), generator=torch.Generator().manual_seed(11))
        tensors['unet.sample'], inputs = sample, {}
        hooks = [module.register_forward_pre_hook(lambda _, args, name=name: inputs.update({name: args[0]}))
                 for name, module in pipeline.unet.named_modules() if name.endswith('ff.net.2')]
        tensors['unet.out_t501'] = pipeline.unet(sample, torch.tensor(501), text).sample
        for hook in hooks:
            hook.remove()
        for name, rows in inputs.items():
            tensors[f'unet.ffn.{name}.sumsq'] = torch.nn.functional.normalize(rows.double(), dim=-1).square().sum(1)
        tensors['vae.latent'] = sample[:1]
        tensors['vae.decoded'] = pipeline.vae.decode(sample[:1]).sample
        for name in case.get('schedulers', ('ddim', 'dpmpp_2m_karras')):
            pipeline.scheduler = SCHEDULERS[name]()
            latents, timesteps = [], []

            def record(_, step, timestep, values):
                latents.append(values['latents'].clone())
                timesteps.append(float(timestep))
                return values
            noise = [torch.Generator().manual_seed(100 + i) for i in range(len(prompts))]
            images = pipeline(prompts, num_inference_steps=steps, guidance_scale=guidance, generator=noise, output_type='pt', callback_on_step_end=record).images
            tensors[f'traj.{name}.latents'], tensors[f'traj.{name}.image'] = torch.stack(latents), images
            sampled[name] = {'config': {key: value for key, value in pipeline.scheduler.config.items() if not key.startswith('_')}, 'timesteps': timesteps}
    save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, f'{out}/goldens.safetensors')
    settings = {'prompts': prompts, 'steps': steps, 'guidance_scale': guidance, 'schedulers': sampled}
    json.dump(settings, open(f'{out}/goldens.json', 'w'), indent=1)


KEYS_OF_0_6 = {
    'unet': ['_class_name', 'act_fn', 'attention_head_dim', 'block_out_channels', 'center_input_sample', 'cross_attention_dim', 'down_block_types', 'downsample_padding',
             'flip_sin_to_cos', 'freq_shift', 'in_channels', 'layers_per_block', 'mid_block_scale_factor', 'norm_eps', 'out_channels', 'sample_size', 'up_block_types'],
    'vae': ['_class_name', 'act_fn', 'block_out_channels', 'down_block_types', 'in_channels', 'latent_channels', 'layers_per_block', 'out_channels', 'sample_size', 'up_block_types'],
}

CASES = {
    # Nothing divides: sizes that are rounded on the way down, heads that leave a remainder, lists for everything, half precision in shards.
    'uneven': dict(
        dtype='float16', shard='40KB', positions=24, length=16, schedulers=('euler', 'dpmpp_2m_karras'),
        unet=dict(sample_size=9, in_channels=3, out_channels=3, block_out_channels=(15, 20, 30), norm_num_groups=5, attention_head_dim=[4, 6, 5], layers_per_block=[1, 2, 1],
                  transformer_layers_per_block=[2, 1, 1], down_block_types=['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
                  up_block_types=['CrossAttnUpBlock2D', 'UpBlock2D', 'CrossAttnUpBlock2D'], conv_in_kernel=5, conv_out_kernel=1),
        vae=dict(block_out_channels=(4, 4, 8, 8), act_fn='relu', use_quant_conv=False, use_post_quant_conv=False),
        text=dict(num_hidden_layers=1, hidden_act='gelu')),
    # Every setting that SD 1.5 leaves at its default, weights at odd offsets under the names of other versions.
    'unusual': dict(
        dtype='bfloat16', schedulers=('pndm', 'ddim'), changes=(old_attention_names, bare_text_names, odd_offsets),
        unet=dict(sample_size=10, block_out_channels=(16, 16, 24), norm_num_groups=4, norm_eps=1e-3, use_linear_projection=True, resnet_time_scale_shift='scale_shift', act_fn='gelu',
                  time_embedding_dim=40, timestep_post_act='mish', time_embedding_act_fn='relu', mid_block_type='UNetMidBlock2D', mid_block_scale_factor=1.4, center_input_sample=True,
                  flip_sin_to_cos=False, freq_shift=1, downsample_padding=0, cross_attention_dim=[24, 24, 8],
                  transformer_layers_per_block=[[2], [1], [1]], reverse_transformer_layers_per_block=[1, [1, 2], [2, 1]]),
        vae=dict(block_out_channels=(4, 4, 4, 8), layers_per_block=2, scaling_factor=.5), text=dict(hidden_act='gelu_new', layer_norm_eps=1e-3, num_attention_heads=2)),
    # The few keys that the files of SD 1.5's own repository have, and the sample_size that the pipeline does not believe.
    'early': dict(
        dtype='float16', prompts=1, steps=2, schedulers=('pndm',), reload=True,
        changes=[few_keys(component, keys, _diffusers_version='0.6.0') for component, keys in KEYS_OF_0_6.items()],
        unet=dict(sample_size=32, block_out_channels=(32, 32), attention_head_dim=8, norm_num_groups=32,
                  down_block_types=['DownBlock2D', 'CrossAttnDownBlock2D'], up_block_types=['CrossAttnUpBlock2D', 'UpBlock2D']), vae=dict(block_out_channels=(32,), norm_num_groups=32)),
}


def main(out, tokenizer_files, *names):
    for name in names or CASES:
        case = CASES[name]
        directory = f'{out}/{name}'
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
        pipeline = build(case, tokenizer_files, case.get('seed', 1))
        save(case, pipeline, f'{directory}/checkpoint')
        if case.get('reload'):
            pipeline = StableDiffusionPipeline.from_pretrained(f'{directory}/checkpoint')
            pipeline.set_progress_bar_config(disable=True)
        goldens(case, pipeline, directory)
        print(name, flush=True)


if __name__ == '__main__':
    main(*sys.argv[1:])
